import { RRuleTemporal } from 'rrule-temporal';
import { toText } from 'rrule-temporal/totext';
import { checkRule, PatternError } from './rrule.ts';

/** A pattern that was understood: its text, the date it counts from, and what evaluates it. Nothing here has a time. */
export type Pattern = {
  readonly text: string;
  /** `YYYY-MM-DD`: no occurrence is before it, intervals count from it. It need not be an occurrence itself. */
  readonly startDate: string;
  /** The RRULE compiled from `text`. Never stored, so that a change of this compiler leaves no stale rows. */
  readonly rrule: string;
  /** The first date from a date on, inclusive, or null. */
  readonly dateFrom: (date: string) => string | null;
};

/** Which dates, all `YYYY-MM-DD`: later than `after` or from `from` on, to `until` inclusive, at most `limit`. */
export type Span = { after?: string | null; from?: string; until?: string; limit: number };

const MAX_CUSTOM_DAYS = 3650;
/** Periods that a search passes without finding a date before the rule counts as one that never occurs (again). */
const MAX_ITERATIONS = 1000;
/** The same for days, which are cheap: the 29th of February on a Monday can be 40 years away. At most 12 ms measured. */
const MAX_DAILY_ITERATIONS = 15_000;
/** The dates of later years have no four-digit form. */
const LAST_DATE = '9998-12-31';
const weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

/**
 * Reads `daily:`, `weekly:MON,WED`, `weekly:`, `monthly:15`, `monthly:`, `monthly:last`, `custom:3d` or `rrule:…`
 * (SPEC 7), counting from a date. Throws PatternError naming the part that is wrong; also when no date would ever come.
 */
export function parsePattern(text: string, startDate: string): Pattern {
  const rrule = compile(text, startDate);
  const pattern = { text, startDate, rrule, dateFrom: evaluate(rrule, startDate) };
  if (pattern.dateFrom(startDate) === null) throw new PatternError(text, 'never occurs');
  return pattern;
}

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
      throw new PatternError(options || 'custom:', `expected Nd with N of 1 to ${MAX_CUSTOM_DAYS}, as 3d`);
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
export function occurrencesAfter(pattern: Pattern, { after, from, until = LAST_DATE, limit }: Span): string[] {
  const dates: string[] = [];
  const start = [pattern.startDate, from ?? '', after ? dayAfter(after) : ''].reduce((a, b) => (a > b ? a : b));
  for (let date = pattern.dateFrom(start); date !== null && date <= until; date = pattern.dateFrom(dayAfter(date))) {
    if (dates.length === limit) break;
    dates.push(date);
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

/**
 * Evaluates an RRULE on dates. COUNT is counted here: with it rrule-temporal 2.2.8 takes MAX_ITERATIONS for all periods
 * since the start together, so that a rule with rare dates would break off.
 */
function evaluate(rrule: string, startDate: string): (date: string) => string | null {
  const count = Number(/(?:^|;)COUNT=(\d+)/.exec(rrule)?.[1] ?? Infinity);
  const rule = new RRuleTemporal({
    rruleString: ruleText(rrule.replace(/(^|;)COUNT=\d+/, ''), startDate),
    maxIterations: rrule.includes('FREQ=DAILY') ? MAX_DAILY_ITERATIONS : MAX_ITERATIONS,
  });
  if (count === Infinity) return (date) => search(rule, date);

  const counted: string[] = [];
  return (date) => {
    for (
      let last = counted.at(-1);
      counted.length < count && (last === undefined || last < date);
      last = counted.at(-1)
    ) {
      const found = search(rule, last === undefined ? startDate : dayAfter(last));
      if (found === null) break;
      counted.push(found);
    }
    return counted.find((found) => found >= date) ?? null;
  };
}

function search(rule: RRuleTemporal, date: string): string | null {
  try {
    const found = rule.next(new Date(date), true);
    if (found === null || found.epochMilliseconds > Date.parse(LAST_DATE)) return null;
    return found.toString().slice(0, LAST_DATE.length);
  } catch (error) {
    // rrule-temporal 2.2.8 tells "no date found" by this text alone; with an error class of its own this could go.
    if (error instanceof Error && error.message.startsWith('Maximum iterations')) return null;
    throw error;
  }
}

function ruleText(rrule: string, startDate: string): string {
  return `DTSTART;VALUE=DATE:${startDate.replaceAll('-', '')}\nRRULE:${rrule}`;
}

/** `MON` as RFC 5545 has it. */
function ruleDay(weekday: string): string {
  return weekday.slice(0, 2);
}

function weekdayOf(date: string): string {
  return weekdays[Temporal.PlainDate.from(date).dayOfWeek - 1] as string;
}

function dayAfter(date: string): string {
  return Temporal.PlainDate.from(date).add({ days: 1 }).toString();
}
