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
  readonly rule: RRuleTemporal;
};

/** Which dates, all `YYYY-MM-DD`: later than `after` or from `from` on, to `until` inclusive, at most `limit`. */
export type Span = { after?: string | null; from?: string; until?: string; limit: number };

const MAX_CUSTOM_DAYS = 3650;
/** Periods that a search may pass without finding a date. What runs into it is taken for a rule that never occurs. */
const MAX_ITERATIONS = 1000;
/** The dates of later years have no four-digit form. */
const LAST_DATE = '9998-12-31';
const weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

/**
 * Reads `daily:`, `weekly:MON,WED`, `weekly:`, `monthly:15`, `monthly:`, `monthly:last`, `custom:3d` or `rrule:…`
 * (SPEC 7), counting from a date. Throws PatternError naming the part that is wrong; also when no date would ever come.
 */
export function parsePattern(text: string, startDate: string): Pattern {
  const rrule = compile(text, startDate);
  const rule = new RRuleTemporal({
    rruleString: `DTSTART;VALUE=DATE:${startDate.replaceAll('-', '')}\nRRULE:${rrule}`,
    maxIterations: MAX_ITERATIONS,
  });
  const pattern = { text, startDate, rrule, rule };
  if (nextOccurrence(pattern, { from: startDate }) === null) throw new PatternError(text, 'never occurs');
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
    if (!/^[1-9]\d?$/.test(options) || Number(options) > 31) throw new PatternError(options, 'expected a day of 1 to 31, or last');
    return `FREQ=MONTHLY;${clamped(Number(options))}`;
  },
  custom(options) {
    const days = Number(/^([1-9]\d{0,3})d$/.exec(options)?.[1]);
    if (!(days <= MAX_CUSTOM_DAYS)) throw new PatternError(options || 'custom:', `expected Nd with N of 1 to ${MAX_CUSTOM_DAYS}, as 3d`);
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
  const last = until < LAST_DATE ? until : LAST_DATE;
  const dates: string[] = [];
  let date = firstOf(pattern, { after, from });
  while (date !== null && date <= last && dates.length < limit) {
    dates.push(date);
    date = next(pattern, date, false);
  }
  return dates;
}

/** The first date of a pattern later than `after`, or from `from` on; null when there is none. */
export function nextOccurrence(pattern: Pattern, span: Omit<Span, 'limit'>): string | null {
  return occurrencesAfter(pattern, { ...span, limit: 1 })[0] ?? null;
}
