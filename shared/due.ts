import { FieldError } from './field.ts';
import { readInstant, readTime } from './time.ts';
import { endOfDay, localDate, toInstant } from './zone.ts';

/** A due date as the columns hold it: the instant, and whether it was given as a mere date. */
export type Due = { due_date: Date; due_all_day: boolean };

/** What decides when a task is due and reminds. Times as columns hold them (Date) or as events carry them (text). */
export type Reminding = {
  due_date: Date | string | null;
  due_all_day: boolean | null;
  timezone: string | null;
  reminder_offset: string | null;
  snoozed_until: Date | string | null;
};

const ALL_DAY_REMINDS_FROM = '09:00:00.000';
const MAX_OFFSET_DAYS = 365;
const DAY_SECONDS = 86_400;
/** Far enough back for a series imported with its past, near enough that no catch-up walks through centuries. */
const MIN_YEAR = 1970;
/** PostgreSQL goes further, the four digits of an ISO 8601 year do not. */
const MAX_YEAR = 9998;

/**
 * Reads `2026-12-01T09:00:00+01:00` (an instant, offset required) or `2026-12-01` (due at the end of that day in the
 * zone). Digits below the millisecond are cut. @throws {FieldError} naming `due_date`, or the `field` given
 */
export function parseDueDate(text: string, timezone: string, field = 'due_date'): Due {
  const time = readTime(text, field);
  const isDate = typeof time === 'string';
  const instant = isDate ? endOfDay(time, timezone) : time;
  const year = isDate ? Number(time.slice(0, 4)) : instant.getUTCFullYear();
  if (year < MIN_YEAR || year > MAX_YEAR) throw new FieldError(field, `the year must be ${MIN_YEAR} to ${MAX_YEAR}`);
  return { due_date: instant, due_all_day: isDate };
}

/** A due date in the form it was given in: `YYYY-MM-DD`, or ISO 8601 UTC with `Z`. The opposite of parseDueDate. */
export function formatDueDate(due: Due, timezone: string): string {
  return due.due_all_day ? localDate(due.due_date, timezone) : due.due_date.toISOString();
}

/**
 * Reads `1 day`, `2 hours`, `90 minutes` or an ISO 8601 duration of weeks and smaller; gives the one ISO form that
 * PostgreSQL gives back for it (`PT90M` is `PT1H30M`). Days stay days: see subtractOffset. @throws {FieldError}
 */
export function parseOffset(text: string): string {
  const { days, seconds } = inWords(text) ?? inIso(text) ?? {};
  if (days === undefined || seconds === undefined) {
    throw new FieldError(
      'reminder_offset',
      'expected "1 day", "2 hours", "90 minutes" or ISO 8601, such as P1D or PT2H',
    );
  }
  if (days + seconds / DAY_SECONDS > MAX_OFFSET_DAYS) {
    throw new FieldError('reminder_offset', `must be between 0 and ${MAX_OFFSET_DAYS} days`);
  }
  return new Temporal.Duration(
    0,
    0,
    0,
    days,
    Math.floor(seconds / 3600),
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ).toString();
}

function inWords(text: string): { days: number; seconds: number } | null {
  const [, amount, unit] = /^(\d{1,9}) (day|hour|minute)s?$/.exec(text) ?? [];
  if (unit === undefined) return null;
  if (unit === 'day') return { days: Number(amount), seconds: 0 };
  return { days: 0, seconds: Number(amount) * (unit === 'hour' ? 3600 : 60) };
}

function inIso(text: string): { days: number; seconds: number } | null {
  const found = /^P(?=\w)(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/.exec(
    text,
  );
  if (!found) return null;
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = found
    .slice(1)
    .map((digits) => Number(digits ?? 0));
  return { days: weeks * 7 + days, seconds: hours * 3600 + minutes * 60 + seconds };
}

/**
 * An instant less an offset of parseOffset. Days are calendar days in the zone: a day before 09:00 is 09:00, also when
 * the clocks change in between. Hours and less are exact time.
 */
export function subtractOffset(instant: Date, offset: string, timezone: string): Date {
  const start = Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timezone);
  return new Date(start.subtract(Temporal.Duration.from(offset)).epochMilliseconds);
}

/** When a task is due, or null. A mere date is due at the end of that day in the task's zone (CONTRACT 5). */
export function dueAt({ due_date, timezone }: Pick<Reminding, 'due_date' | 'timezone'>): Date | null {
  return typeof due_date === 'string' ? parseDueDate(due_date, timezone ?? 'UTC').due_date : due_date;
}

/**
 * When a task reminds, or null: `snoozed_until`, else the due date less the offset; of a mere date counted from 09:00
 * of that day (CONTRACT 5 and 8). Whether that has passed, or the task is done, is for the caller to judge.
 */
export function triggerAt(task: Reminding): Date | null {
  const { snoozed_until: snoozedUntil } = task;
  if (snoozedUntil !== null)
    return typeof snoozedUntil === 'string' ? readInstant(snoozedUntil, 'snoozed_until') : snoozedUntil;
  const due = dueAt(task);
  if (due === null || task.reminder_offset === null) return null;
  const zone = task.timezone ?? 'UTC';
  const from = task.due_all_day ? toInstant(localDate(due, zone), ALL_DAY_REMINDS_FROM, zone) : due;
  return subtractOffset(from, task.reminder_offset, zone);
}
