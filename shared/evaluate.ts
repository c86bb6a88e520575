import { RRuleTemporal } from 'rrule-temporal';
import { dayAfter } from './zone.ts';

/** Where the dates of a rule are found, all `YYYY-MM-DD`. */
export type Dates = {
  /** The first date from a date on, inclusive, or null. */
  readonly dateFrom: (date: string) => string | null;
  /** The last date up to a date, inclusive, or null. */
  readonly dateTo: (date: string) => string | null;
};

/**
 * A search that passes 13 years without a date ends: the rule counts as one that never occurs (again). A date on a given
 * weekday is at most 12 years away (Christmas on a Monday), but for the 29th of February, with up to 40.
 * Measured worst cases: 3 ms a search, 50 ms the 100 dates of a preview (with 15,000 days a search: 12 and 370 ms).
 */
export const MAX_SEARCH_YEARS = 13;
const perYear: Readonly<Record<string, number>> = { DAILY: 366, WEEKLY: 53, MONTHLY: 12, YEARLY: 1 };
/** Years after that of the start until which dates come: bounds what the longest list costs, and counting COUNT. */
const MAX_YEARS = 100;
/** The dates of later years have no four-digit form. */
const LAST_YEAR = 9998;
/** Spans of a search backwards: most rules have a date in the first; the last passes as many years as a search forwards. */
const BACKWARDS = [{ days: -31 }, { days: -400 }, { years: -MAX_SEARCH_YEARS }];

/** Evaluates an RRULE of `checkRule` on dates, from a start on. */
export function evaluate(rrule: string, startDate: string): Dates {
  const endless = rrule.replace(/(^|;)COUNT=\d+/, '');
  const lastYear = Math.min(Number(startDate.slice(0, 4)) + MAX_YEARS, LAST_YEAR);
  const rule = engine(endless, startDate, `${String(lastYear).padStart(4, '0')}-12-31`);
  const count = Number(/(?:^|;)COUNT=(\d+)/.exec(rrule)?.[1] ?? Infinity);
  return count === Infinity ? rule : counted(rule, startDate, count);
}

type Engine = ReturnType<typeof engine>;

function engine(rrule: string, startDate: string, lastDate: string) {
  const rruleString = ruleText(rrule, startDate);
  const periods = periodsWithin(MAX_SEARCH_YEARS, rrule);
  const rule = new RRuleTemporal({ rruleString, maxIterations: periods });
  let wide: RRuleTemporal | undefined;

  /** All dates between two, both inclusive, within a span that is not longer than a search. */
  function between(from: string, to: string): string[] {
    // The engine begins up to an interval before a span, and counts what it passes there.
    wide ??= new RRuleTemporal({ rruleString, maxIterations: 2 * periods });
    return wide.between(midnight(from), midnight(to < lastDate ? to : lastDate), true).map(dateOf);
  }

  return {
    between,
    dateFrom: (date: string): string | null => search(rule, date, lastDate),
    dateTo(date: string): string | null {
      for (const span of BACKWARDS) {
        const found = between(plus(date < lastDate ? date : lastDate, span), date).at(-1);
        if (found !== undefined) return found;
      }
      return null;
    },
  };
}

/**
 * COUNT is counted here, a year at a time and as far as is asked: with it rrule-temporal 2.2.8 takes maxIterations for all
 * periods since the start together, so that a rule with rare dates would break off.
 */
function counted({ dateFrom, between }: Engine, startDate: string, count: number): Dates {
  const dates: string[] = [];

  function countTo(date: string): void {
    for (let last = dates.at(-1); dates.length < count && (last === undefined || last < date); last = dates.at(-1)) {
      const next = dateFrom(last === undefined ? startDate : dayAfter(last));
      if (next === null) break;
      dates.push(...between(next, plus(next, { years: 1 })).slice(0, count - dates.length));
    }
  }

  return {
    dateFrom(date) {
      countTo(date);
      return dates.find((found) => found >= date) ?? null;
    },
    dateTo(date) {
      countTo(date);
      return dates.findLast((found) => found <= date) ?? null;
    },
  };
}

/** How many periods of a rule, as `FREQ` and `INTERVAL` say, fit into so many years: rounded up, and the first. */
function periodsWithin(years: number, rrule: string): number {
  const frequency = /FREQ=([A-Z]+)/.exec(rrule)?.[1] ?? '';
  const interval = Number(/INTERVAL=(\d+)/.exec(rrule)?.[1] ?? 1);
  return Math.ceil((years * (perYear[frequency] ?? 1)) / interval) + 1;
}

function search(rule: RRuleTemporal, date: string, lastDate: string): string | null {
  if (date > lastDate) return null;
  try {
    const found = rule.next(midnight(date), true);
    return found === null || found.year > Number(lastDate.slice(0, 4)) ? null : dateOf(found);
  } catch (error) {
    // rrule-temporal 2.2.8 tells "no date found" by this text alone; with an error class of its own this could go.
    if (error instanceof Error && error.message.startsWith('Maximum iterations')) return null;
    throw error;
  }
}

const midnight = (date: string) => Temporal.PlainDate.from(date).toZonedDateTime('UTC');
const dateOf = (time: { toString(): string }): string => time.toString().slice(0, 'YYYY-MM-DD'.length);
const plus = (date: string, span: { days?: number; years?: number }): string =>
  Temporal.PlainDate.from(date).add(span).toString();

/** The rule as RFC 5545 has it, with the date from which it counts. */
export function ruleText(rrule: string, startDate: string): string {
  return `DTSTART;VALUE=DATE:${startDate.replaceAll('-', '')}\nRRULE:${rrule}`;
}
