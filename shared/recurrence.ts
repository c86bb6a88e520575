import { endOfDay, isRepeated, localDate, localTime, toInstant } from './zone.ts';
import { type Pattern, occurrencesAfter, parsePattern } from './pattern.ts';
import { triggerAt } from './due.ts';

/** A recurring task: its pattern, and the local wall clock that each date gets. Dates are local dates in `timezone`. */
export type Series = {
  readonly pattern: Pattern;
  readonly due_date: Date;
  readonly due_all_day: boolean;
  readonly timezone: string;
  /** The last date, or the last instant, at which an occurrence may fall. */
  readonly end: string | Date | null;
  readonly exdates: readonly string[];
};

/** The columns of `tasks` that make a series. */
export type SeriesRow = {
  recurrence_pattern: string;
  due_date: Date;
  due_all_day: boolean | null;
  timezone: string | null;
  recurrence_end_date: Date | null;
  recurrence_end_day: string | null;
  exdates: readonly string[] | null;
};

/** One occurrence of a series, with a note for people where daylight saving moves it. */
type Occurrence = { occurrence_date: string; due_date: Date; note: string | null };

export type CatchUp = 'latest' | 'all' | 'none';

/** An instance exists this long before it is due, and as long as below before its reminder. */
const HORIZON_MS = 24 * 3_600_000;
/** Two runs of the processor, so that one may be missed. */
const BEFORE_REMINDER_MS = 10 * 60_000;
const CATCH_UP_DAYS = 7;
/** Dates ahead that are asked for at once: 366 of a daily series with a year's notice would hold up whoever is due beside it. */
const AHEAD_A_LOOK = 10;
/** Dates to come that have an instance: enough for a weekly series with a year's notice. Instances take disk and no quota counts them. */
const MAX_AHEAD = 53;
/** Measured: 1 ms for a daily series, 15 for the costliest rule; to count all dates since 1970 took 360. */
const MAX_COUNTED = 100;
/** Where a day ends first, at UTC+14, and last, at UTC-12: the sign of these names is turned round (tz database, etcetera). */
const [FIRST_ZONE, LAST_ZONE] = ['Etc/GMT-14', 'Etc/GMT+12'];
/** Never to change: the ids of instances are computed from it again and again. */
const INSTANCE_NAMESPACE = '6f1d9c52-0b7e-4c7b-9a35-8d1f0e6a2c47';

/** The series of a row. @throws {PatternError} when its pattern is not understood */
export function seriesOf(row: SeriesRow): Series {
  const timezone = row.timezone ?? 'UTC';
  return {
    pattern: parsePattern(row.recurrence_pattern, localDate(row.due_date, timezone)),
    due_date: row.due_date,
    due_all_day: row.due_all_day ?? false,
    timezone,
    end: endOf(row),
    exdates: row.exdates ?? [],
  };
}

/**
 * The end of a series in the form given: a date or an instant. A date counts while the instant beside it ends that day in
 * some zone: it stays when a zone changes its rules, and gives way to what a version has written that knows only instants.
 */
export function endOf({
  recurrence_end_date: at,
  recurrence_end_day: day,
}: Pick<SeriesRow, 'recurrence_end_date' | 'recurrence_end_day'>): string | Date | null {
  if (at === null || day === null) return at;
  return endOfDay(day, FIRST_ZONE) <= at && at <= endOfDay(day, LAST_ZONE) ? day : at;
}

/** The first date on or after the due date's local date, or null. */
export function firstOccurrence(series: Series): string | null {
  return nextOccurrenceAfter(series, null);
}

/** The first date after a date (null: from the start on) that is neither excluded nor past the series' end, or null. */
export function nextOccurrenceAfter(series: Series, date: string | null): string | null {
  return datesOf(series, { after: date }).next().value ?? null;
}

/**
 * When the occurrence of a date is due: at the wall clock of the series' due date, whatever the clocks have done in
 * between, or at the end of the day when it has no time. Never computed by adding hours (CONTRACT 7).
 */
export function occurrenceAt(series: Series, date: string): Date {
  if (series.due_all_day) return endOfDay(date, series.timezone);
  return toInstant(date, localTime(series.due_date, series.timezone), series.timezone);
}

/** The dates of a series from a date to a date, both inclusive, at most `limit`. */
export function occurrences(
  series: Series,
  { from, to, limit }: { from?: string; to?: string; limit: number },
): Occurrence[] {
  return datesOf(series, { ...(from && { from }), ...(to && { until: to }) })
    .take(limit)
    .map((date) => ({ occurrence_date: date, due_date: occurrenceAt(series, date), note: clockNote(series, date) }))
    .toArray();
}

/** The id of the instance of a date: the same from every processor (UUIDv5, RFC 9562). */
export function instanceId(seriesId: string, date: string): string {
  return Bun.randomUUIDv5(`${seriesId.toLowerCase()}/${date}`, INSTANCE_NAMESPACE);
}

/**
 * When the instance of a date is to be created: 24 hours before it is due, or 10 minutes before its reminder where that is
 * earlier (CONTRACT 7): with an offset of a day, 25 hours and 10 minutes where the clocks are put back in between, and of a
 * date without time, which is due at its end and reminds from 09:00 on. Not before it is one of the next 53 dates.
 */
export function createAt(series: Series, date: string, reminderOffset: string | null): Date {
  const due = occurrenceAt(series, date);
  const reminder = triggerAt({ ...series, due_date: due, reminder_offset: reminderOffset, snoozed_until: null });
  const byDue = due.getTime() - HORIZON_MS;
  const wanted = new Date(reminder ? Math.min(byDue, reminder.getTime() - BEFORE_REMINDER_MS) : byDue);
  const allowed = comesNear(series, date, wanted);
  return allowed !== null && allowed > wanted ? allowed : wanted;
}

/**
 * When a date becomes one of the next 53: as the 53rd before it is due. Null where that was before the day of `since`. To look
 * back so far takes 2 ms of a daily series and 10 of the costliest rule, and only where the notice is longer than 53 days.
 */
function comesNear(series: Series, date: string, since: Date): Date | null {
  const day = localDate(since, series.timezone);
  if (daysBefore(date, MAX_AHEAD) < day) return null; // so many dates take as many days
  let left = MAX_AHEAD;
  for (const earlier of datesBack(series, daysBefore(date, 1))) {
    if (earlier < day) return null;
    left -= 1;
    if (left === 0) return occurrenceAt(series, earlier);
  }
  return null;
}

/** When the processor must look at a series whose dates up to `afterDate` are handled; null when it has ended. */
export function nextInstanceAt(series: Series, afterDate: string | null, reminderOffset: string | null): Date | null {
  const date = nextOccurrenceAfter(series, afterDate);
  return date === null ? null : createAt(series, date, reminderOffset);
}

/**
 * What the processor has to do for a series whose dates up to `after` are handled: the dates to create, of those ahead the
 * next 10 only, how many missed ones `catch_up` leaves out (counted up to 100), and the date that all this reaches (null:
 * nothing to do). A date is missed once it is due. Missed dates are sought from `now` backwards, since a series may have begun
 * in 1970.
 */
export function dueOccurrences(
  series: Series,
  {
    after,
    now,
    reminderOffset,
    mode,
  }: { after: string | null; now: Date; reminderOffset: string | null; mode: CatchUp },
): { create: string[]; skipped: number; advance_past: string | null } {
  const missed = newestMissed(series, after, now);
  const ahead: string[] = [];
  for (const date of datesOf(series, { after: missed ?? after }).take(AHEAD_A_LOOK)) {
    if (createAt(series, date, reminderOffset) > now) break;
    ahead.push(date);
  }
  const { create, skipped } =
    missed === null ? { create: [], skipped: 0 } : catchUp(series, { after, missed, now, mode });
  return { create: [...create, ...ahead], skipped, advance_past: ahead.at(-1) ?? missed };
}

/** The newest date after a date that is due by now, or null. */
function newestMissed(series: Series, after: string | null, now: Date): string | null {
  for (const date of datesBack(series, localDate(now, series.timezone))) {
    if (after !== null && date <= after) break;
    if (occurrenceAt(series, date) < now) return date;
  }
  return null;
}

/**
 * Which dates after `after` up to the newest `missed` to create all the same: the `latest`, `all` of the last 7 days, or
 * `none` (CONTRACT 7). The others are counted as skipped, as far as 100.
 */
function catchUp(
  series: Series,
  { after, missed, now, mode }: { after: string | null; missed: string; now: Date; mode: CatchUp },
): { create: string[]; skipped: number } {
  const weekAgo = daysBefore(localDate(now, series.timezone), CATCH_UP_DAYS);
  const create = {
    none: () => [],
    latest: () => [missed],
    all: () => [...datesOf(series, { after, from: weekAgo, until: missed })],
  }[mode]();
  const [oldest] = create;
  const until = oldest === undefined ? missed : daysBefore(oldest, 1);
  return { create, skipped: datesOf(series, { after, until }).take(MAX_COUNTED).toArray().length };
}

/** The dates of a series, lazily: without the excluded, up to the last one that its end allows. */
function* datesOf(
  series: Series,
  span: { after?: string | null; from?: string; until?: string },
): Generator<string, undefined> {
  const { pattern } = series;
  const excluded = new Set(series.exdates);
  let from = span;
  while (true) {
    const [date] = occurrencesAfter(pattern, { ...from, limit: 1 });
    if (date === undefined || isPastEnd(series, date)) return;
    if (!excluded.has(date)) yield date;
    from = { ...span, after: date };
  }
}

/** As `datesOf`, from a date or the end of the series backwards. */
function* datesBack(series: Series, date: string): Generator<string, undefined> {
  const { pattern, end, timezone } = series;
  const excluded = new Set(series.exdates);
  const lastDay = end instanceof Date ? localDate(end, timezone) : end;
  let found = pattern.dateTo(lastDay !== null && lastDay < date ? lastDay : date);
  for (; found !== null; found = pattern.dateTo(daysBefore(found, 1))) {
    if (!excluded.has(found) && !isPastEnd(series, found)) yield found;
  }
}

const daysBefore = (date: string, days: number): string => Temporal.PlainDate.from(date).subtract({ days }).toString();

/** A date ends a series by its date, whatever the time and the zone; an instant by the time at which the occurrence is due. */
function isPastEnd(series: Series, date: string): boolean {
  const { end } = series;
  if (end === null) return false;
  return typeof end === 'string' ? date > end : occurrenceAt(series, date) > end;
}

function clockNote(series: Series, date: string): string | null {
  const { due_date, due_all_day, timezone } = series;
  const at = occurrenceAt(series, date);
  const day = localDate(at, timezone);
  if (due_all_day) return day === date ? null : `${date} does not exist in ${timezone}: moved to ${day}`;
  const time = localTime(due_date, timezone);
  const clock = localTime(at, timezone);
  if (day !== date)
    return `${shown(time)} does not exist on ${date} in ${timezone}: moved to ${shown(clock)} on ${day}`;
  if (clock !== time) return `${shown(time)} does not exist on ${date} in ${timezone}: moved to ${shown(clock)}`;
  if (isRepeated(date, time, timezone))
    return `${shown(time)} comes twice on ${date} in ${timezone}: the first is taken`;
  return null;
}

/** A wall clock without the parts that are zero: `02:30`. */
function shown(time: string): string {
  return time.replace(/(:00)?\.000$/, '');
}
