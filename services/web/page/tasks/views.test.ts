import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { asTask } from '../api.ts';
import { allOf, isOpen, overdueOf, tallyOf, todayOf, upcomingOf } from './views.ts';

// A Saturday, 12:00 in Berlin.
const moment = { now: Date.parse('2026-11-28T11:00:00Z'), zone: 'Europe/Berlin' };
const task = (title: string, due: string | null, more = {}) =>
  asTask({ id: title, title, due_date: due, completed: false, created_at: '2026-01-01', ...more });
const titles = (groups: { name: string; tasks: { title: string }[] }[]) =>
  groups.map(({ name, tasks }) => [name, tasks.map(({ title }) => title)]);

const tasks = [
  task('late', '2026-11-28T10:59:00Z'),
  task('yesterday', '2026-11-27'),
  task('today', '2026-11-28'),
  task('tonight', '2026-11-28T22:59:59Z'),
  task('after midnight', '2026-11-28T23:00:00Z'),
  task('in a week', '2026-12-05'),
  task('week after, friday', '2026-12-11'),
  task('week after, monday', '2026-12-07T08:00:00Z'),
  task('some day', null),
  task('rule', '2026-11-28', { recurrence_pattern: 'daily:' }),
  task('done', '2026-11-28', { completed: true }),
];

test('todayOf has what is late and what is due before midnight in the zone', () => {
  expect(titles(todayOf(tasks, moment))).toEqual([
    ['Overdue', ['yesterday', 'late']],
    ['Today', ['tonight', 'today']],
  ]);
});

test('upcomingOf has a group a day for a week, then a group a week', () => {
  expect(titles(upcomingOf(tasks, moment, String))).toEqual([
    ['2026-11-29', ['after midnight']],
    ['2026-12-05', ['in a week']],
    ['Week of 2026-12-07', ['week after, monday', 'week after, friday']],
  ]);
});

test('upcomingOf has a whole day of another zone under that day, whatever else is due when it ends there', () => {
  const whole = task('whole day', '2026-12-02', { timezone: 'America/Los_Angeles' });
  const night = task('that night', '2026-12-03T01:00:00Z');
  expect(titles(upcomingOf([whole, night], moment, String))).toEqual([
    ['2026-12-02', ['whole day']],
    ['2026-12-03', ['that night']],
  ]);
});

describe('tallyOf', () => {
  test('counts what the lists hold, whatever there is', () => {
    const due = fc.option(
      fc.oneof(
        fc.integer({ min: -40, max: 40 }).map((hours) => new Date(moment.now + hours * 1_800_000).toISOString()),
        fc.constantFrom('2026-11-27', '2026-11-28', '2026-11-29', '2027-03-28'),
      ),
    );
    const any = fc.record({ due, completed: fc.boolean(), recurrence_pattern: fc.constantFrom(null, null, 'daily:') });
    const size = (groups: { tasks: unknown[] }[]) => groups.reduce((sum, group) => sum + group.tasks.length, 0);
    fc.assert(
      fc.property(fc.array(any), (given) => {
        const all = given.map(({ due: at, ...more }, i) => task(`${i}`, at, more));
        expect(tallyOf(all, moment)).toEqual({
          today: size(todayOf(all, moment)),
          upcoming: size(upcomingOf(all, moment, String)),
          overdue: overdueOf(all, moment).length,
          all: size(allOf(all.filter(isOpen))),
          series: all.filter(({ recurrence_pattern: pattern }) => pattern !== null).length,
        });
      }),
    );
  });
});
