import { describe, expect, test } from 'bun:test';
import { asTask, type PageTask } from '../task.ts';
import { filtered, filtersOf } from './filters.ts';

const moment = { now: Date.parse('2026-11-28T11:00:00Z'), zone: 'Europe/Berlin' };
const task = (title: string, given: Partial<PageTask> = {}): PageTask =>
  asTask({ id: title, title, completed: false, created_at: `2026-01-01`, updated_at: '2026-01-01', ...given });

const tasks = [
  task('late', { due_date: '2026-11-20', priority: 'low', updated_at: '2026-11-27' }),
  task('tonight', { due_date: '2026-11-28T19:00:00Z', priority: 'urgent' }),
  task('then', { due_date: '2027-01-01', parent_recurring_task_id: 'series' }),
  task('some day', { created_at: '2026-11-01' }),
  task('done', { completed: true, due_date: '2026-11-28' }),
  task('series', { recurrence_pattern: 'daily:', due_date: '2027-01-01' }),
];
const titles = (query: Record<string, string>) =>
  filtered(tasks, filtersOf(query), moment).flatMap((group) => group.tasks.map(({ title }) => title));

describe('filtered', () => {
  test.each<[Record<string, string>, string[]]>([
    [{}, ['late', 'tonight', 'then', 'some day']],
    [{ show: 'done' }, ['done']],
    [{ show: 'all', due: 'today' }, ['tonight', 'done']],
    [{ due: 'overdue' }, ['late']],
    [{ due: 'upcoming' }, ['then']],
    [{ due: 'never' }, ['some day']],
    [{ kind: 'date' }, ['then']],
    [{ kind: 'task', due: 'upcoming' }, []],
    [{ priority: 'urgent' }, ['tonight']],
    [{ priority: 'none' }, ['then', 'some day']],
    [{ sort: 'priority' }, ['tonight', 'late', 'then', 'some day']],
    [{ sort: 'title' }, ['late', 'some day', 'then', 'tonight']],
    [{ sort: 'created' }, ['some day', 'late', 'tonight', 'then']],
    [{ sort: 'updated', priority: 'low' }, ['late']],
  ])('%o', (query, expected) => expect(titles(query)).toEqual(expected));

  test('what an address says that there is not filters nothing', () => {
    expect(titles({ show: 'toString', sort: '__proto__', task: 'late' })).toHaveLength(4);
  });
});
