import { expect, test } from 'bun:test';
import { why } from './why.ts';

const now = new Date('2026-11-24T12:00:00Z');
const ahead = { trigger_at: new Date('2026-11-25T12:00:00Z'), due_date: '2026-11-25T14:00:00.000Z' };

test.each([
  [{ ...ahead, offset: 'PT2H' }, '2 hours before it is due.'],
  [{ ...ahead, offset: 'P1DT1H30M' }, '1 day, 1 hour and 30 minutes before it is due.'],
  [{ ...ahead, offset: 'PT0S' }, 'When it is due.'],
  [{ ...ahead, due_date: '2026-11-26', offset: 'P1D' }, '1 day before 09:00 of the day it is due.'],
  [{ ...ahead, due_date: '2026-11-26', offset: 'PT0S' }, 'At 09:00 of the day it is due.'],
  [{ ...ahead, offset: null }, 'Snoozed until this time.'],
  [
    { ...ahead, trigger_at: now, offset: 'PT2H' },
    '2 hours before it is due; its time has passed, so it comes as soon as possible.',
  ],
])('%# says why', (reminder, sentence) => {
  expect(why(reminder, now)).toBe(sentence);
});
