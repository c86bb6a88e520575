import { FieldError } from './field.ts';

// Dates and instants as text (ISO 8601, as RFC 3339 narrows it): what bodies, queries, cursors and events hold is read here
// and nowhere else. `Date` takes the 30th of February for the 2nd of March, and a time without offset for one of this machine.

const DATE = /^\d{4}-\d\d-\d\d$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)$/i;

const A_DATE = 'a date, as 2026-12-01';
const AN_INSTANT = 'an ISO 8601 instant with offset, as 2026-12-01T09:00:00Z';

/** Whether this is a day of the calendar as `2026-12-01`, in the years 1 to 9999. */
export const isDate = (text: string): boolean => typeof timeOf(text) === 'string';

/** Whether this is an instant as `2026-12-01T09:00:00+01:00`: the offset is required, UTC is in the years 1 to 9999. */
export const isInstant = (text: string): boolean => timeOf(text) instanceof Date;

/** A date, as it was given. @throws {FieldError} naming the field and why */
export function readDate(value: unknown, field: string): string {
  const time = timeOf(value);
  if (typeof time !== 'string') throw refusal(value, field, A_DATE);
  return time;
}

/** An instant; digits below the millisecond are cut. @throws {FieldError} naming the field and why */
export function readInstant(value: unknown, field: string): Date {
  const time = timeOf(value);
  if (!(time instanceof Date)) throw refusal(value, field, AN_INSTANT);
  return time;
}

/** A date as it was given, or the instant. @throws {FieldError} naming the field and why */
export function readTime(value: unknown, field: string): string | Date {
  const time = timeOf(value);
  if (time === null) throw refusal(value, field, `${AN_INSTANT}, or ${A_DATE}`);
  return time;
}

/** The text of a date, the Date of an instant, null for all else. */
function timeOf(value: unknown): string | Date | null {
  if (typeof value !== 'string' || !hasForm(value)) return null;
  if (value.slice(17, 19) === '60') return null; // Temporal would take a leap second for the second before
  try {
    if (DATE.test(value)) return hasFourDigits(Temporal.PlainDate.from(value)) ? value : null;
    const instant = Temporal.Instant.from(value);
    return hasFourDigits(instant.toZonedDateTimeISO('UTC')) ? new Date(instant.epochMilliseconds) : null;
  } catch (error) {
    if (error instanceof RangeError) return null; // no such day, hour or offset
    throw error;
  }
}

const hasForm = (text: string): boolean => DATE.test(text) || INSTANT.test(text);

/** What both PostgreSQL and the four digits of an ISO 8601 year can say. */
const hasFourDigits = ({ year }: { year: number }): boolean => year >= 1 && year <= 9999;

function refusal(value: unknown, field: string, expected: string): FieldError {
  const text = typeof value === 'string' ? value : '';
  if (hasForm(text) && timeOf(text) === null) return new FieldError(field, 'there is no such day or time');
  // In a query `+` says blank (WHATWG URL, 5.1). To ask for an offset would be to ask for what was sent.
  if (expected !== A_DATE && isInstant(text.replace(' ', '+')))
    return new FieldError(
      field,
      'the + of the offset came as a blank, as it does from a URL: write %2B, or give the time in Z',
    );
  return new FieldError(field, `expected ${expected}`);
}
