import type { PageTask } from '../api.ts';
import { addDays, dayOf, endOf } from '../days.ts';

export type Group = { name: string; tasks: PageTask[] };

/** A rule that makes tasks, and no task to be done. */
export const isSeries = (task: PageTask): boolean => task.recurrence_pattern !== null;

/** The next date of a series that the server has not made yet: to be seen, and nothing to act on. */
export const isComing = ({ id }: Pick<PageTask, 'id'>): boolean => id.startsWith('next-');

export const isOpen = (task: PageTask): boolean => !task.completed && !isSeries(task);

/** When it is due, in ms: a date at its end. Without one never. */
export function dueMs({ due_date: due, timezone }: PageTask): number {
  if (due === null) return Infinity;
  return due.length === 10 ? endOf(due, timezone ?? 'UTC') : Date.parse(due);
}

export const byDue = (a: PageTask, b: PageTask): number =>
  dueMs(a) - dueMs(b) || (a.created_at < b.created_at ? -1 : 1) || (a.id < b.id ? -1 : 1);

const newestFirst = (a: PageTask, b: PageTask): number => (a.created_at < b.created_at ? 1 : -1);

export type Moment = { now: number; zone: string };

export const isOverdue = (task: PageTask, { now, zone }: Moment): boolean => isLate(task, dayOf(now, zone), now);

export const isLate = ({ due_date: due }: PageTask, today: string, now: number): boolean =>
  due !== null && (due.length === 10 ? due < today : Date.parse(due) < now);

/** What is overdue, and what else is due today in the user's zone. */
export function todayOf(tasks: Iterable<PageTask>, { now, zone }: Moment): Group[] {
  const today = dayOf(now, zone);
  const end = endOf(today, zone);
  const overdue: PageTask[] = [];
  const due: PageTask[] = [];
  for (const task of tasks) {
    if (!isOpen(task) || task.due_date === null) continue;
    if (isLate(task, today, now)) overdue.push(task);
    else if (task.due_date.length === 10 ? task.due_date === today : dueMs(task) <= end) due.push(task);
  }
  return filled([
    { name: 'Overdue', tasks: overdue.sort(byDue) },
    { name: 'Today', tasks: due.sort(byDue) },
  ]);
}

/** By their dates, then what has none, newest first. */
export function allOf(tasks: PageTask[]): Group[] {
  return filled([
    { name: 'With a date', tasks: tasks.filter(({ due_date: due }) => due !== null).sort(byDue) },
    { name: 'Some day', tasks: tasks.filter(({ due_date: due }) => due === null).sort(newestFirst) },
  ]);
}

/**
 * What comes after today: a group for each of seven days, then one for each week. Days without a task have none. A day is
 * looked up once for all that are due on it: the calendar is slow, and there may be thousands.
 */
export function upcomingOf(tasks: Iterable<PageTask>, { now, zone }: Moment, named: (day: string) => string): Group[] {
  const today = dayOf(now, zone);
  const week = addDays(today, 7);
  const groups: Group[] = [];
  let end = endOf(today, zone);
  const later = [...tasks].filter((task) => isOpen(task) && task.due_date !== null && isAfter(task, today, end));
  for (const task of later.sort((a, b) => dueIn(a, zone) - dueIn(b, zone) || byDue(a, b))) {
    const due = dueIn(task, zone);
    if (groups.length === 0 || due > end) {
      const day = dayOf(due, zone);
      const isNear = day <= week;
      end = endOf(isNear ? day : addDays(mondayOf(day), 6), zone);
      groups.push({ name: isNear ? named(day) : `Week of ${named(mondayOf(day))}`, tasks: [] });
    }
    groups.at(-1)?.tasks.push(task);
  }
  return groups;
}

/** When a task is due as the days of a zone have it: a date is that date there, whatever the zone of the task. */
const dueIn = (task: PageTask, zone: string): number =>
  task.due_date?.length === 10 ? endOf(task.due_date, zone) : dueMs(task);

export const isAfter = ({ due_date: due }: PageTask, day: string, end: number): boolean =>
  due !== null && (due.length === 10 ? due > day : Date.parse(due) > end);

export type Tally = Record<'today' | 'upcoming' | 'overdue' | 'all' | 'series', number>;

/** How many each list has, in one look at all tasks. */
export function tallyOf(tasks: Iterable<PageTask>, moment: Moment): Tally {
  const today = dayOf(moment.now, moment.zone);
  const end = endOf(today, moment.zone);
  const tally = { today: 0, upcoming: 0, overdue: 0, all: 0, series: 0 };
  for (const task of tasks) {
    if (isSeries(task)) tally.series++;
    if (!isOpen(task)) continue;
    tally.all++;
    if (task.due_date === null) continue;
    if (isAfter(task, today, end)) tally.upcoming++;
    else {
      tally.today++;
      if (isLate(task, today, moment.now)) tally.overdue++;
    }
  }
  return tally;
}

const mondayOf = (day: string): string => addDays(day, 1 - Temporal.PlainDate.from(day).dayOfWeek);

export function overdueOf(tasks: Iterable<PageTask>, { now, zone }: Moment): PageTask[] {
  const today = dayOf(now, zone);
  return [...tasks].filter((task) => isOpen(task) && isLate(task, today, now)).sort(byDue);
}

const filled = (groups: Group[]): Group[] => groups.filter(({ tasks }) => tasks.length > 0);

/** The next that is due after today, for a list that is empty. */
export function nextOf(tasks: Iterable<PageTask>, { now }: Moment): PageTask | undefined {
  return [...tasks].filter((task) => isOpen(task) && dueMs(task) > now && dueMs(task) < Infinity).sort(byDue)[0];
}
