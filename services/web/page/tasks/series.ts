import type { Dates } from '#shared/answers';
import type { PageTask } from '../api.ts';
import { dayOf } from '../days.ts';
import { fullTime } from '../words.ts';
import { dueMs, isOpen, isSeries } from './views.ts';

/** The dates of a series that are open: they go when it goes. */
export const datesOf = ({ id }: PageTask, tasks: Iterable<PageTask>): PageTask[] =>
  [...tasks].filter((task) => task.parent_recurring_task_id === id && isOpen(task));

/** When each series is due next. Its own `due_date` says from when it recurs, which need not be a date of it. */
export function nextDates(tasks: Iterable<PageTask>): Map<string, string> {
  const next = new Map<string, PageTask>();
  for (const task of tasks) {
    const { parent_recurring_task_id: id, due_date: due } = task;
    if (id === null || due === null || task.completed) continue;
    const first = next.get(id);
    if (!first || dueMs(task) < dueMs(first)) next.set(id, task);
  }
  return new Map([...next].map(([id, { due_date: due }]) => [id, due ?? '']));
}

export type Occurrence = Dates['occurrences'][number];
export type Exception = { due: string; word: 'skipped' | 'moved' };

/** What became of a date of a rule: `left` are those that the series still has (null: not known), `made` those that are tasks. */
export function exceptionOf(
  { occurrence_date: date, due_date: due }: Occurrence,
  left: ReadonlySet<string> | null,
  made: PageTask[],
): Exception | null {
  const task = made.find((one) => one.occurrence_date === date);
  if (task?.due_date)
    return Date.parse(task.due_date) === Date.parse(due) ? null : { due: task.due_date, word: 'moved' };
  return left === null || left.has(date) ? null : { due, word: 'skipped' };
}

/** What was done by a removal; `dates`: how many go with a series. */
export function removalWords(task: PageTask, dates: number, zone: string): string {
  const { title } = task;
  if (task.parent_recurring_task_id !== null) return `${skipped(task, zone)}: ${title}`;
  if (!isSeries(task)) return `Deleted: ${title}`;
  const its = dates === 0 ? '' : dates === 1 ? ' and its open date' : ` and its ${dates} open dates`;
  return `Deleted the series ${title}${its}`;
}

/** What was skipped, and what comes instead; undefined: nothing. */
export const skipWords = (task: PageTask, next: string | undefined, zone: string): string =>
  `${skipped(task, zone)}. ${next ? `Next: ${fullTime(next, zone)}.` : 'It was the last date.'}`;

function skipped({ occurrence_date: date, due_date: due }: PageTask, zone: string): string {
  const day = date ?? (due?.length === 10 ? due : due && dayOf(Date.parse(due), zone));
  return `Skipped ${day ? fullTime(day, zone) : 'a date'}`;
}

/** A date as the server will make it. */
export const dateOf = (series: PageTask, date: { occurrence_date: string; due_date: string }): PageTask => ({
  ...series,
  ...date,
  id: `next-${series.id}`,
  parent_recurring_task_id: series.id,
  recurrence_pattern: null,
  recurrence_end_date: null,
  reminder_status: null,
  version: null,
});
