import { expect, test } from 'bun:test';
import type { Item } from '../live/protocol.ts';
import { noticeWords } from './words.ts';

const due = '2026-11-28T21:20:00.000Z';
const words = (created_at: string, more: Partial<Item['event']>) =>
  noticeWords(
    { created_at, event: { event_type: 'task.reminder.triggered', due_date: due, ...more } as Item['event'] },
    'Europe/Berlin',
  );

test('a reminder says when its task was due, unless that is the time beside it', () => {
  expect(words('2026-11-28T21:20:04Z', { offset_triggered: 'PT0S' })).toBe('Reminder: it was due');
  expect(words('2026-11-28T21:05:00Z', { offset_triggered: 'PT15M' })).toBe(
    'Reminder: 15 min before it was due, Sat 28 Nov, 22:20',
  );
  expect(words('2026-11-28T21:30:00Z', {})).toBe('Reminder: snoozed until then, Sat 28 Nov, 22:20');
});
