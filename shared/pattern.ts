import { toText } from 'rrule-temporal/totext';
import { type Dates, evaluate, MAX_SEARCH_YEARS, ruleText } from './evaluate.ts';
import { checkRule, PatternError } from './rrule.ts';
import { dayAfter } from './zone.ts';

/** A pattern that was understood: its text, the date it counts from, and what evaluates it. Nothing here has a time. */
export type Pattern = Dates & {
  readonly text: string;
  /** `YYYY-MM-DD`: no occurrence is before it, intervals count from it. It need not be an occurrence itself. */
  readonly startDate: string;
  /** The RRULE compiled from `text`. Never stored, so that a change of this compiler leaves no stale rows. */
  readonly rrule: string;
};

/** Which dates, all `YYYY-MM-DD`: later than `after` or from `from` on, to `until` inclusive, at most `limit`. */
export type Span = { after?: string | null; from?: string; until?: string; limit: number };

const MAX_CUSTOM_DAYS = 3650;
const MAX_CACHED = 1000;
const weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

/**
 * Reads `daily:`, `weekly:MON,WED`, `weekly:`, `monthly:15`, `monthly:`, `monthly:last`, `custom:3d` or `rrule:…`
 * (CONTRACT 7), counting from a date. Dates end with the 100th year after the start.
 * @throws {PatternError} naming the part that is wrong; also when no date would come within 13 years
 */
export function parsePattern(text: string, startDate: string): Pattern {
  const key = `${startDate} ${text}`;
  const known = cache.get(key);
  if (known) return known;
  const rrule = compile(text, startDate);
  const { dateFrom, dateTo } = evaluate(rrule, startDate);
  const first = dateFrom(startDate);
  if (first === null) throw new PatternError(text, `no date comes within ${MAX_SEARCH_YEARS} years`);
  const pattern: Pattern = {
    text,
    startDate,
    rrule,
    dateFrom: (date) => (date <= first ? first : dateFrom(date)),
    dateTo: (date) => (date < first ? null : dateTo(date)),
  };
  cache.set(key, pattern);
  if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value ?? '');
  return pattern;
}

/** The last patterns read: creating one task asks several times, and each would search for the first date anew. */
const cache = new Map<string, Pattern>();

/** Each form becomes an RRULE, so that one engine evaluates all of them. */
function compile(text: string, startDate: string): string {
  const colon = text.indexOf(':');
  const frequency = colon < 0 ? text : text.slice(0, colon);
  const options = text.slice(colon + 1);
  const compiler = Object.hasOwn(compilers, frequency) ? compilers[frequency] : undefined;
  if (colon < 0 || !compiler) {
    throw new PatternError(frequency || 'pattern', `expected one of ${Object.keys(compilers).join(':, ')}:`);
  }
  return compiler(options, startDate);
}

const compilers: Readonly<Record<string, (options: string, startDate: string) => string>> = {
  daily(options) {
    if (options !== '') throw new PatternError(options, 'daily: takes no options; every N days is custom:Nd');
    return 'FREQ=DAILY';
  },
  weekly(options, startDate) {
    if (options === '') return `FREQ=WEEKLY;BYDAY=${ruleDay(weekdayOf(startDate))}`;
    const days = options.split(',');
    days.forEach((day, i) => {
      if (!weekdays.includes(day)) throw new PatternError(day || 'weekly:', `expected one of ${weekdays.join(', ')}`);
      if (days.indexOf(day) !== i) throw new PatternError(day, 'given twice');
    });
    return `FREQ=WEEKLY;BYDAY=${days.map(ruleDay).join(',')}`;
  },
  monthly(options, startDate) {
    if (options === 'last') return 'FREQ=MONTHLY;BYMONTHDAY=-1';
    if (options === '') return `FREQ=MONTHLY;${clamped(Number(startDate.slice(8)))}`;
    if (!/^[1-9]\d?$/.test(options) || Number(options) > 31)
      throw new PatternError(options, 'expected a day of 1 to 31, or last');
    return `FREQ=MONTHLY;${clamped(Number(options))}`;
  },
  custom(options) {
    const days = Number(/^([1-9]\d{0,3})d$/.exec(options)?.[1]);
    if (!(days <= MAX_CUSTOM_DAYS))
      throw new PatternError(options || 'custom:', `expected Nd with N of 1 to ${MAX_CUSTOM_DAYS}, such as 3d`);
    return `FREQ=DAILY;INTERVAL=${days}`;
  },
  rrule(options) {
    checkRule(options);
    return options;
  },
};

/**
 * A day of the month that shorter months replace by their last. The set from 28 to the day, of which the last that
 * exists: RFC 7529's SKIP=BACKWARD would say it, but rrule-temporal 2.2.8 ignores that beside BYMONTHDAY.
 */
function clamped(day: number): string {
  if (day <= 28) return `BYMONTHDAY=${day}`;
  const days = Array.from({ length: day - 27 }, (_, i) => 28 + i);
  return `BYMONTHDAY=${days.join(',')};BYSETPOS=-1`;
}

/** The dates of a pattern within a span, ascending. */
export function occurrencesAfter(pattern: Pattern, { after, from, until = '9999', limit }: Span): string[] {
  const dates: string[] = [];
  let next = [pattern.startDate, from ?? '', after ? dayAfter(after) : ''].reduce((a, b) => (a > b ? a : b));
  while (dates.length < limit) {
    const date = pattern.dateFrom(next);
    if (date === null || date > until) break;
    dates.push(date);
    next = dayAfter(date);
  }
  return dates;
}

/** The first date of a pattern within a span; null when there is none. */
export function nextOccurrence(pattern: Pattern, span: Omit<Span, 'limit'>): string | null {
  return occurrencesAfter(pattern, { ...span, limit: 1 })[0] ?? null;
}

/** A pattern in words, such as `every week on Monday and Wednesday`. */
export function describe({ rrule, startDate }: Pattern): string {
  const clampedDay = /BYMONTHDAY=28,(?:\d+,)*(\d+);BYSETPOS=-1$/.exec(rrule)?.[1];
  if (clampedDay === undefined) return toText(ruleText(rrule, startDate));
  const day = toText(ruleText(`FREQ=MONTHLY;BYMONTHDAY=${clampedDay}`, startDate));
  return `${day}, or the last day of a shorter month`;
}

/** `MON` as RFC 5545 has it. */
function ruleDay(weekday: string): string {
  return weekday.slice(0, 2);
}

function weekdayOf(date: string): string {
  return weekdays[Temporal.PlainDate.from(date).dayOfWeek - 1] as string;
}
