import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { asTask } from '../api.ts';
import { changesOf, clashesOf, draftOf, earlierOf, problemOf, rebased } from './draft.ts';
import { patternOf, patternText, patternWords, ruleOf } from './rule.ts';

const zone = 'Europe/Berlin';
const task = asTask({
  id: 'a',
  title: 'Rent',
  due_date: '2026-12-01T08:00:00.000Z',
  timezone: zone,
  recurrence_pattern: 'monthly:1',
  recurrence_end_date: '2027-12-31',
  reminder_offset: 'P1D',
  catch_up: 'all',
});

describe('changesOf', () => {
  test('a draft that was not touched changes nothing, whatever the task', () => {
    const plain = asTask({ id: 'b', title: 'Plain' });
    for (const one of [task, plain, { ...plain, due_date: '2026-12-01' }])
      expect(changesOf(draftOf(one, 'Asia/Tokyo'), one, 'Asia/Tokyo')).toEqual({});
  });

  test('a time is that of the zone of the task, not of whoever looks', () => {
    const draft = { ...draftOf(task, 'Asia/Tokyo'), time: '10:30' };
    expect(changesOf(draft, task, 'Asia/Tokyo')).toEqual({ due_date: '2026-12-01T09:30:00Z' });
  });

  test('what is emptied is cleared, and a date takes with it what counts from it', () => {
    const draft = { ...draftOf(task, zone), description: '', priority: '', day: '' };
    expect(changesOf(draft, task, zone)).toEqual({
      due_date: null,
      reminder_offset: null,
      recurrence_pattern: null,
      recurrence_end_date: null,
    });
  });

  test('a last day without a repeat is not sent, nor a reminder without a date: nobody sees them', () => {
    const plain = asTask({ id: 'b', title: 'Plain' });
    const draft = { ...draftOf(plain, zone), day: '2026-12-01', endDay: '2027-06-30', reminder: 'PT5M' };
    expect(changesOf({ ...draft, pattern: 'daily:' }, plain, zone)).toMatchObject({
      recurrence_end_date: '2027-06-30',
    });
    expect(changesOf(draft, plain, zone)).toEqual({ due_date: '2026-12-01', reminder_offset: 'PT5M' });
    expect(changesOf({ ...draft, day: '' }, plain, zone)).toEqual({});
  });
});

describe('clashesOf', () => {
  const before = { ...task, title: 'Rent', description: null, priority: null };

  test('has what both changed to something else, and nothing that one of them left alone', () => {
    const theirs = { ...before, title: 'Rent of theirs', description: 'theirs alone' } as const;
    expect(clashesOf({ title: 'Rent of mine', priority: 'high' }, before, theirs)).toEqual(['title']);
  });

  test('does not have what both changed to the same, however it is written', () => {
    const theirs = { ...before, due_date: '2026-12-02T08:00:00.000Z' };
    expect(clashesOf({ due_date: '2026-12-02T08:00:00Z' }, before, theirs)).toEqual([]);
  });
});

test('what was typed while a draft was on its way stays, over what came back', () => {
  const sent = { ...draftOf(task, zone), title: 'Sent' };
  const typed = { ...sent, title: 'Sent, and more', priority: 'high' };
  const saved = draftOf({ ...task, title: 'Sent', description: 'theirs' }, zone);
  expect(rebased(typed, sent, saved)).toEqual({ ...saved, title: 'Sent, and more', priority: 'high' });
  expect(rebased(sent, sent, saved)).toEqual(saved);
});

test('a draft without a title, without its rule, or with a repeat of no date is not sent', () => {
  const draft = draftOf(task, zone);
  expect(problemOf(draft)).toBeNull();
  expect(problemOf({ ...draft, title: ' ' })?.field).toBe('title');
  expect(problemOf({ ...draft, pattern: 'rrule:' })?.field).toBe('recurrence_pattern');
  expect(problemOf({ ...draft, day: '' })?.field).toBe('due_date');
  expect(problemOf({ ...draft, day: '', pattern: null })).toBeNull();
});

test('a change is taken back by the earlier values; that a task became a series is not', () => {
  expect(earlierOf({ title: 'New', priority: 'high' }, task)).toEqual({ title: 'Rent', priority: null });
  const dated = { ...task, recurrence_pattern: null, recurrence_end_date: null };
  expect(earlierOf(changesOf({ ...draftOf(dated, zone), day: '' }, dated, zone), dated)).toEqual({
    due_date: '2026-12-01T08:00:00.000Z',
    reminder_offset: 'P1D',
    recurrence_pattern: null,
    recurrence_end_date: null,
  });
  expect(earlierOf({ recurrence_pattern: 'daily:' }, task)).toEqual({ recurrence_pattern: 'monthly:1' });
  expect(earlierOf({ recurrence_pattern: 'daily:' }, { ...task, recurrence_pattern: null })).toBeNull();
});

test('a pattern is read and said again as it was', () => {
  const patterns = fc.oneof(
    fc.constantFrom('daily:', 'weekly:', 'monthly:', 'monthly:last', 'rrule:FREQ=YEARLY;BYMONTH=3'),
    fc.subarray(['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'], { minLength: 1 }).map((days) => `weekly:${days}`),
    fc.integer({ min: 1, max: 31 }).map((day) => `monthly:${day}`),
    fc.integer({ min: 1, max: 3650 }).map((days) => `custom:${days}d`),
  );
  fc.assert(fc.property(patterns, (pattern) => expect(patternOf(ruleOf(pattern))).toBe(pattern)));
  expect(patternOf(ruleOf(null))).toBeNull();
});

test.each([
  ['weekly:MON,THU', 'every Mon, Thu'],
  ['monthly:1', 'every month on the 1st'],
  ['monthly:22', 'every month on the 22nd'],
  ['monthly:last', 'every month on the last day'],
  ['rrule:FREQ=YEARLY', 'every year'],
  ['rrule:FREQ=MONTHLY;INTERVAL=3', 'every 3 months'],
  ['rrule:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH', 'every 2 weeks on Mon, Thu'],
  ['rrule:FREQ=MONTHLY;BYDAY=2TU', 'by a rule'],
  ['rrule:FREQ=YEARLY;BYMONTH=3', 'by a rule'],
])('a row says %s as “%s”', (pattern, words) => expect(patternWords(pattern)).toBe(words));

test('beside an earlier rule a pattern that has no words is its rule', () => {
  expect(patternText('weekly:MON,THU')).toBe('every Mon, Thu');
  expect(patternText('rrule:FREQ=MONTHLY;BYDAY=2TU')).toBe('FREQ=MONTHLY;BYDAY=2TU');
});
