import type { PageTask } from '../api.ts';
import { addDays, dayOf, endOf } from '../days.ts';

export type Group = { name: string; tasks: PageTask[] };

/** A rule that makes tasks, and no task to be done. */
export const isSeries = (task: PageTask): boolean => task.recurrence_pattern !== null;

export const isOpen = (task: PageTask): boolean => !task.completed && !isSeries(task);

/** When it is due, in ms: a date at its end. Without one never. */
export function dueMs({ due_date: due, timezone }: PageTask): number {
  if (due === null) return Infinity;
  return due.length === 10 ? endOf(due, timezone ?? 'UTC') : Date.parse(due);
}

const byDue = (a: PageTask, b: PageTask): number =>
  dueMs(a) - dueMs(b) || (a.created_at < b.created_at ? -1 : 1) || (a.id < b.id ? -1 : 1);

const newestFirst = (a: PageTask, b: PageTask): number => (a.created_at < b.created_at ? 1 : -1);

type Moment = { now: number; zone: string };

export const isOverdue = (task: PageTask, { now, zone }: Moment): boolean =>
  task.due_date !== null && (task.due_date.length === 10 ? task.due_date < dayOf(now, zone) : dueMs(task) < now);

/** What is overdue, and what else is due today in the user's zone. */
export function todayOf(tasks: Iterable<PageTask>, { now, zone }: Moment): Group[] {
  const today = dayOf(now, zone);
  const end = endOf(today, zone);
  const overdue: PageTask[] = [];
  const due: PageTask[] = [];
  for (const task of tasks) {
    if (!isOpen(task) || task.due_date === null) continue;
    if (isOverdue(task, { now, zone })) overdue.push(task);
    else if (task.due_date.length === 10 ? task.due_date === today : dueMs(task) <= end) due.push(task);
  }
  return filled([
    { name: 'Overdue', tasks: overdue.sort(byDue) },
    { name: 'Today', tasks: due.sort(byDue) },
  ]);
}

/** All that is open: by its date, then what has none, newest first. */
export function allOf(tasks: Iterable<PageTask>): Group[] {
  const open = [...tasks].filter(isOpen);
  return filled([
    { name: 'With a date', tasks: open.filter(({ due_date: due }) => due !== null).sort(byDue) },
    { name: 'Some day', tasks: open.filter(({ due_date: due }) => due === null).sort(newestFirst) },
  ]);
}

/** What comes after today: a group for each of seven days, then one for each week. Days without a task have none. */
export function upcomingOf(tasks: Iterable<PageTask>, { now, zone }: Moment, named: (day: string) => string): Group[] {
  const today = dayOf(now, zone);
  const week = addDays(today, 7);
  const groups = new Map<string, PageTask[]>();
  for (const task of [...tasks].sort(byDue)) {
    if (!isOpen(task) || task.due_date === null) continue;
    const day = task.due_date.length === 10 ? task.due_date : dayOf(dueMs(task), zone);
    if (day <= today) continue;
    const name = day <= week ? named(day) : `Week of ${named(mondayOf(day))}`;
    groups.set(name, [...(groups.get(name) ?? []), task]);
  }
  return [...groups].map(([name, list]) => ({ name, tasks: list }));
}

const mondayOf = (day: string): string => addDays(day, 1 - Temporal.PlainDate.from(day).dayOfWeek);

export const overdueOf = (tasks: Iterable<PageTask>, moment: Moment): PageTask[] =>
  [...tasks].filter((task) => isOpen(task) && isOverdue(task, moment)).sort(byDue);

const filled = (groups: Group[]): Group[] => groups.filter(({ tasks }) => tasks.length > 0);

/** The next that is due after today, for a list that is empty. */
export function nextOf(tasks: Iterable<PageTask>, { now }: Moment): PageTask | undefined {
  return [...tasks].filter((task) => isOpen(task) && dueMs(task) > now && dueMs(task) < Infinity).sort(byDue)[0];
}
