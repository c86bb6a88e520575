import { parseDueDate, parseOffset } from '#shared/due';
import { FieldError } from '#shared/field';
import { endOf, firstOccurrence, seriesOf } from '#shared/recurrence';
import { CATCH_UPS, PRIORITIES } from '#shared/task';
import { atMost, isVisible } from '#shared/text';
import { isTimezone, localDate } from '#shared/zone';
import { type Given, MAX_DESCRIPTION, MAX_TITLE } from '../changes/columns.ts';
import { isInstance, isSeries, type TaskRow } from '../changes/task-row.ts';

/** What a caller sent: absent is unchanged, `null` clears, unknown fields are ignored. Nothing in it is checked yet. */
export type TaskInput = Readonly<Record<string, unknown>>;

/** Whether the zone in the user's settings decides: a due date is set and neither caller nor task names a zone. */
export const needsUserTimezone = (row: TaskRow, input: TaskInput): boolean =>
  (input.timezone ?? (input.timezone === undefined ? row.timezone : null)) === null &&
  (input.due_date ?? (input.due_date === undefined ? row.due_date : null)) !== null;

/**
 * The row with the caller's fields in it, of a new task as of one that changes. Derived columns (reminder status,
 * cursor, version) are not touched. @throws {FieldError} naming the field
 */
export function withFields(row: TaskRow, input: TaskInput, userTimezone: string | null): TaskRow {
  const next = { ...row };
  for (const [field, read] of Object.entries(readers)) {
    if (input[field] !== undefined) Object.assign(next, { [field]: read(input[field], field) });
  }
  // Days, and what recurs, are days somewhere. In another zone a date is the same date: as if it were sent again.
  const setsTime = input.due_date !== undefined || input.timezone !== undefined;
  if (setsTime && needsUserTimezone(row, input)) next.timezone = userTimezone ?? 'UTC';
  const times = next.timezone === row.timezone ? input : { ...datesOf(row), ...input };
  const zone = next.timezone ?? 'UTC';
  if (times.due_date !== undefined) Object.assign(next, dueDate(times.due_date, zone));
  if (times.recurrence_end_date !== undefined) Object.assign(next, endDate(times.recurrence_end_date, zone));
  refuseContradictions(next);
  return next;
}

type Reader<F extends keyof TaskRow> = (value: unknown, field: string) => TaskRow[F];
/** Understood only with the zone. */
type Zoned = 'due_date' | 'recurrence_end_date';

/** Fields that need no other field to be understood. */
const readers: { [F in Exclude<Given, Zoned>]: Reader<F> } = {
  title: readTitle,
  description: readDescription,
  completed(value, field) {
    if (typeof value !== 'boolean') throw new FieldError(field, 'expected true or false');
    return value;
  },
  priority: (value, field) => oneOf(PRIORITIES, value, field),
  catch_up: (value, field) => oneOf(CATCH_UPS, value, field),
  timezone(value, field) {
    const zone = textOrNull(value, field);
    if (zone !== null && !isTimezone(zone)) throw new FieldError(field, 'expected an IANA name, such as Europe/Berlin');
    return zone;
  },
  recurrence_pattern: textOrNull,
  reminder_offset(value, field) {
    const offset = textOrNull(value, field);
    return offset === null ? null : parseOffset(offset);
  },
};

/** Trimmed, else as sent. @throws {FieldError} */
export function readTitle(value: unknown, field = 'title'): string {
  const title = text(value, field).trim();
  if (!isVisible(title)) throw new FieldError(field, 'needs at least one visible character');
  return atMost(MAX_TITLE, title, field);
}

/** As sent. @throws {FieldError} */
export function readDescription(value: unknown, field = 'description'): string | null {
  return value === null ? null : atMost(MAX_DESCRIPTION, text(value, field), field);
}

/** The times of a task that are dates, as they were given. */
function datesOf(row: TaskRow): TaskInput {
  const end = endOf(row);
  return {
    ...(row.due_date && row.due_all_day && { due_date: localDate(row.due_date, row.timezone ?? 'UTC') }),
    ...(typeof end === 'string' && { recurrence_end_date: end }),
  };
}

function dueDate(value: unknown, zone: string): Pick<TaskRow, 'due_date' | 'due_all_day'> {
  const text = textOrNull(value, 'due_date');
  return text === null ? { due_date: null, due_all_day: null } : parseDueDate(text, zone);
}

/** A date has its last instant beside it, by which the version before ends the series. */
function endDate(value: unknown, zone: string): Pick<TaskRow, 'recurrence_end_date' | 'recurrence_end_day'> {
  const text = textOrNull(value, 'recurrence_end_date');
  if (text === null) return { recurrence_end_date: null, recurrence_end_day: null };
  const { due_date: at, due_all_day: isDay } = parseDueDate(text, zone, 'recurrence_end_date');
  return { recurrence_end_date: at, recurrence_end_day: isDay ? text : null };
}

/** What the checks of the table would refuse too, said in words, and what a column cannot know. */
function refuseContradictions(next: TaskRow): void {
  const needs = (field: keyof TaskRow, other: keyof TaskRow) => {
    if (next[field] !== null && next[other] === null) throw new FieldError(field, `needs a ${other}`);
  };
  needs('recurrence_pattern', 'due_date');
  needs('recurrence_end_date', 'recurrence_pattern');
  needs('catch_up', 'recurrence_pattern');
  needs('reminder_offset', 'due_date');
  if (!isSeries(next)) return;
  if (isInstance(next))
    throw new FieldError('recurrence_pattern', 'belongs to the series; change it with ?scope=series');
  // Dates whose instances were deleted were dates all the same.
  if (firstOccurrence(seriesOf({ ...next, exdates: null })) === null)
    throw new FieldError('recurrence_end_date', 'no occurrence falls on or before it');
}

/** What no column can hold (NUL, half a surrogate pair) was refused with the body. */
function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw new FieldError(field, 'expected a string');
  return value;
}

function textOrNull(value: unknown, field: string): string | null {
  return value === null ? null : text(value, field);
}

function oneOf(values: readonly string[], value: unknown, field: string): string | null {
  if (value === null) return null;
  if (typeof value !== 'string' || !values.includes(value))
    throw new FieldError(field, `expected one of ${values.join(', ')}`);
  return value;
}
