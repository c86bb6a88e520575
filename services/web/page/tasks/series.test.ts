import { describe, expect, test } from 'bun:test';
import { asTask } from '../api.ts';
import { dateOf, datesOf, exceptionOf, nextDates, removalWords, skipWords } from './series.ts';

const zone = 'Europe/Berlin';
const gym = asTask({
  id: 'gym',
  title: 'Gym',
  due_date: '2026-11-28T17:00:00.000Z',
  recurrence_pattern: 'weekly:MON,THU',
});
const on = (day: string, more = {}) =>
  asTask({
    id: day,
    title: 'Gym',
    due_date: `${day}T17:00:00.000Z`,
    occurrence_date: day,
    parent_recurring_task_id: 'gym',
    ...more,
  });
const tasks = [gym, on('2026-12-03'), on('2026-11-30'), on('2026-11-26', { completed: true }), asTask({ id: 'other' })];

test('the next date of a series is the first of its open ones', () => {
  expect(nextDates(tasks).get('gym')).toBe('2026-11-30T17:00:00.000Z');
  expect(nextDates([gym]).get('gym')).toBeUndefined();
});

test('the dates of a series are its open ones', () => {
  expect(datesOf(gym, tasks).map(({ id }) => id)).toEqual(['2026-12-03', '2026-11-30']);
  expect(datesOf(on('2026-11-30'), tasks)).toEqual([]);
});

test('a date of a rule is skipped, moved or as the rule says', () => {
  const date = (day: string) => ({ occurrence_date: day, due_date: `${day}T17:00:00.000Z`, note: null });
  const made = [on('2026-12-03', { due_date: '2026-12-04T18:00:00.000Z' }), on('2026-12-07')];
  const left = new Set(['2026-12-03', '2026-12-07', '2026-12-10']);
  const became = (day: string, known: typeof left | null = left) => exceptionOf(date(day), known, made);
  expect(became('2026-11-30')).toEqual({ due: '2026-11-30T17:00:00.000Z', word: 'skipped' });
  expect(became('2026-12-03')).toEqual({ due: '2026-12-04T18:00:00.000Z', word: 'moved' });
  expect(became('2026-12-07')).toBeNull();
  expect(became('2026-12-10')).toBeNull();
  expect(became('2026-11-30', null)).toBeNull();
});

describe('what is said of a removal', () => {
  test('a date is skipped, by its day in the series', () => {
    const moved = on('2026-12-04', { due_date: '2026-12-06T17:00:00.000Z' });
    expect(removalWords(moved, 0, zone)).toBe('Skipped Fri 4 Dec: Gym');
    expect(removalWords(on('2026-12-04', { occurrence_date: null }), 0, zone)).toBe('Skipped Fri 4 Dec: Gym');
  });

  test('a series goes with its dates, and a task alone', () => {
    expect(removalWords(gym, 2, zone)).toBe('Deleted the series Gym and its 2 open dates');
    expect(removalWords(gym, 1, zone)).toBe('Deleted the series Gym and its open date');
    expect(removalWords(gym, 0, zone)).toBe('Deleted the series Gym');
    expect(removalWords(asTask({ id: 'other', title: 'Rent' }), 0, zone)).toBe('Deleted: Rent');
  });
});

test('what is skipped is said with what comes next, which is as the server will make it', () => {
  const next = dateOf(gym, { occurrence_date: '2026-12-03', due_date: '2026-12-03T06:30:00.000Z' });
  expect(skipWords(on('2026-11-30'), next.due_date ?? '', zone)).toBe('Skipped Mon 30 Nov. Next: Thu 3 Dec, 07:30.');
  expect(skipWords(on('2026-11-30'), undefined, zone)).toBe('Skipped Mon 30 Nov. It was the last date.');
  expect(nextDates([gym, next]).get('gym')).toBe('2026-12-03T06:30:00.000Z');
  expect(datesOf(gym, [next])).toHaveLength(1);
});
