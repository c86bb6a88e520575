import type { PageTask, TaskInput } from '../api.ts';
import { dayOf, instantOf, timeOf } from '../days.ts';
import { NO_RULE } from './rule.ts';

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
    ...(isOther('endDay') && draft.pattern !== null && { recurrence_end_date: draft.endDay || null }),
    ...(isOther('catchUp') && draft.pattern !== null && { catch_up: draft.catchUp }),
    ...(isOther('reminder') && draft.day !== '' && { reminder_offset: draft.reminder || null }),
    ...(isOther('priority') && { priority: draft.priority || null }),
    // Without a date there is nothing to count from.
    ...(before.day !== '' &&
      draft.day === '' && { reminder_offset: null, recurrence_pattern: null, recurrence_end_date: null }),
  };
}

/** What keeps a draft from being sent, and the field of it. */
export function problemOf({ title, day, pattern }: Draft): { field: string; text: string } | null {
  if (title.trim() === '') return { field: 'title', text: 'What is to be done?' };
  if (pattern === NO_RULE) return { field: 'recurrence_pattern', text: 'The rule is still empty.' };
  if (pattern !== null && day === '') return { field: 'due_date', text: 'A repeat needs a date.' };
  return null;
}

/** What was typed since `sent` was, over what the server made of that. */
export const rebased = (typed: Draft, sent: Draft, saved: Draft): Draft => {
  const isNewer = ([field, value]: [string, unknown]) => value !== sent[field as keyof Draft];
  return { ...saved, ...Object.fromEntries(Object.entries(typed).filter(isNewer)) };
};

/** The fields that both have changed since `before`, each to something else. Only these need somebody to choose. */
export const clashesOf = (mine: TaskInput, before: PageTask, theirs: PageTask): (keyof TaskInput)[] =>
  (Object.keys(mine) as (keyof TaskInput)[]).filter(
    (field) => !isSame(theirs[field], before[field]) && !isSame(theirs[field], mine[field] ?? null),
  );

/** What the fields of a change were, to take it back; null: the API does not, since a series stays one. */
export function earlierOf(input: TaskInput, before: PageTask): TaskInput | null {
  if (input.recurrence_pattern != null && before.recurrence_pattern === null) return null;
  return Object.fromEntries((Object.keys(input) as (keyof TaskInput)[]).map((field) => [field, before[field]]));
}

/** An instant is written with milliseconds or without. */
const isSame = (a: unknown, b: unknown): boolean =>
  a === b || (isInstant(a) && isInstant(b) && +new Date(a) === +new Date(b));

const isInstant = (value: unknown): value is string => typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);

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
