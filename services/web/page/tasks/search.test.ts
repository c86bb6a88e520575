import { expect, test } from 'bun:test';
import { asTask } from '../api.ts';
import { hasWords, wordsOf } from './search.ts';

const call = asTask({ id: 'a', title: 'Call Mum', description: 'about the cafe\u0301' });

test.each([
  ['mum call', true],
  ['  CALL   caf\u00e9 ', true],
  ['mum dad', false],
  ['um al', true],
])('words are found in any order and form, in title and notes: %p %p', (text, expected) => {
  expect(hasWords(call, wordsOf(text))).toBe(expected);
});

test('the longest word comes first: it is what the server is asked for', () => {
  expect(wordsOf(' to Call  the bank ')).toEqual(['call', 'bank', 'the', 'to']);
  expect(wordsOf('  ')).toEqual([]);
});
