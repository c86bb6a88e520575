import { expect, test } from 'bun:test';
import { inWords } from './fields.ts';

test.each([
  ['description: at most 5000 characters', 'description', 'Notes: at most 5000 characters'],
  [
    'recurrence_pattern: INTERVAL=100: expected 1 to 10',
    'recurrence_pattern',
    'Repeat: INTERVAL=100: expected 1 to 10',
  ],
  ['due_date: no such day', 'due_date', 'Due: no such day'],
  ['scopes: expected a list without repetition', 'scopes', 'What it may do: expected a list without repetition'],
  ['limit: expected 1 to 1000', null, 'limit: expected 1 to 1000'],
  ['constructor: none', null, 'constructor: none'],
  ['Too many requests: wait a moment', null, 'Too many requests: wait a moment'],
])('%s names its field %p as the form does', (message, field, text) => {
  expect(inWords(message)).toEqual({ field, text });
});
