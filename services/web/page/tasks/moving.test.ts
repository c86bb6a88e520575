import { expect, test } from 'bun:test';
import { asTask } from '../api.ts';
import { fromBefore, movedTo } from './moving.ts';

const zone = 'Europe/Berlin';
const now = Date.parse('2026-11-28T15:30:00Z'); // 16:30 there
const due = (due_date: string | null) => asTask({ id: due_date ?? 'none', due_date });

test('what was due earlier today is not moved to today: its time stands, and it reminds no second time', () => {
  const tasks = [
    due('2026-11-28T01:30:00.000Z'),
    due('2026-11-28T15:16:00.000Z'),
    due('2026-11-27T22:59:00.000Z'), // yesterday 23:59 there
    due('2026-11-27T23:00:00.000Z'), // 00:00 of today there
    due('2026-11-27'),
    due('2026-11-28'),
    due(null),
  ];
  expect(fromBefore(tasks, now, zone).map(({ id }) => id)).toEqual(['2026-11-27T22:59:00.000Z', '2026-11-27']);
});

test('of what moves to today a time that is still to come stays, else it is due the whole day', () => {
  expect(movedTo(due('2026-11-20T19:00:00.000Z'), 0, now, zone)).toBe('2026-11-28T19:00:00Z');
  expect(movedTo(due('2026-11-20T08:00:00.000Z'), 0, now, zone)).toBe('2026-11-28');
  expect(movedTo(due('2026-11-20'), 0, now, zone)).toBe('2026-11-28');
});
