import type { PageTask, TaskInput } from '../api.ts';
import { dayOf, instantOf, timeOf } from '../days.ts';

/** A task as its form holds it: what is empty is not set. */
export type Draft = {
  title: string;
  description: string;
  day: string;
  /** `HH:MM`; empty: the whole day. */
  time: string;
  pattern: string | null;
  endDay: string;
  catchUp: string;
  reminder: string;
  priority: string;
};

/** In the zone of the task, in which it recurs; else in the user's. */
export const zoneOf = (task: PageTask, zone: string): string => task.timezone ?? zone;

export function draftOf(task: PageTask, userZone: string): Draft {
  const zone = zoneOf(task, userZone);
  const due = placeOf(task.due_date, zone);
  return {
    title: task.title,
    description: task.description ?? '',
    ...due,
    pattern: task.recurrence_pattern,
    endDay: placeOf(task.recurrence_end_date, zone).day,
    catchUp: task.catch_up ?? 'latest',
    reminder: task.reminder_offset ?? '',
    priority: task.priority ?? '',
  };
}

/** What a draft changes of a task, and nothing else: a field that was not touched never undoes somebody's change. */
export function changesOf(draft: Draft, task: PageTask, userZone: string): TaskInput {
  const zone = zoneOf(task, userZone);
  const before = draftOf(task, userZone);
  const isOther = (...fields: (keyof Draft)[]) => fields.some((field) => draft[field] !== before[field]);
  return {
    ...(isOther('title') && { title: draft.title }),
    ...(isOther('description') && { description: draft.description || null }),
    ...(isOther('day', 'time') && { due_date: dueOf(draft, zone) }),
    ...(isOther('pattern') && { recurrence_pattern: draft.pattern }),
    ...(isOther('endDay') && { recurrence_end_date: draft.endDay || null }),
    ...(isOther('catchUp') && draft.pattern !== null && { catch_up: draft.catchUp }),
    ...(isOther('reminder') && { reminder_offset: draft.reminder || null }),
    ...(isOther('priority') && { priority: draft.priority || null }),
    // Without a date there is nothing to count from.
    ...(before.day !== '' &&
      draft.day === '' && { reminder_offset: null, recurrence_pattern: null, recurrence_end_date: null }),
  };
}

export function dueOf({ day, time }: Pick<Draft, 'day' | 'time'>, zone: string): string | null {
  if (day === '') return null;
  return time === '' ? day : instantOf(day, time, zone);
}

function placeOf(due: string | null, zone: string): { day: string; time: string } {
  if (due === null) return { day: '', time: '' };
  if (due.length === 10) return { day: due, time: '' };
  const ms = Date.parse(due);
  return { day: dayOf(ms, zone), time: timeOf(ms, zone) };
}
