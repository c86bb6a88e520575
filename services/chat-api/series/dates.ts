import type { Dates } from '#shared/answers';
import type { Sql } from '#shared/db';
import { formatDueDate } from '#shared/due';
import { FieldError } from '#shared/field';
import { ApiError, refusingAsync } from '#shared/errors';
import { describe } from '#shared/pattern';
import { occurrences, seriesOf } from '#shared/recurrence';
import { readDate } from '#shared/time';
import { localDate } from '#shared/zone';
import { isSeries, readTask, type SeriesTask } from '../changes/task-row.ts';

/** Of the dates of a series, in one answer. */
export const DATES = { limit: 10, most: 100 } as const;

export type Span = { from?: string | undefined; to?: string | undefined; limit?: unknown };

/** Runs what seeks the dates of a rule, which holds the event loop, when it is its turn. */
export type Computing = <T>(work: () => T) => Promise<T>;

/** The next dates of a series, from today in its zone unless `from` says otherwise. @throws {ApiError} 403, 404, 409 */
export async function seriesDates(
  sql: Sql,
  { id, userId, span, now }: { id: string; userId: string; span: Span; now: Date },
  computing: Computing,
): Promise<Dates> {
  const row = await readTask(sql, id, userId);
  if (!isSeries(row)) throw new ApiError(409, 'NOT_A_SERIES', 'This task does not recur.');
  const from = span.from ?? localDate(now, row.timezone ?? 'UTC');
  return refusingAsync('INVALID_QUERY', () => computing(() => datesWithin(row, { ...span, from })));
}

/** The dates of a series in a span, from its first on. @throws {FieldError} naming the parameter */
export function datesWithin(row: SeriesTask, { from, to, limit }: Span): Dates {
  const series = seriesOf(row);
  const dates = occurrences(series, {
    ...(from !== undefined && { from: readDate(from, 'from') }),
    ...(to !== undefined && { to: readDate(to, 'to') }),
    limit: readLimit(limit),
  });
  return {
    description: describe(series.pattern),
    timezone: series.timezone,
    occurrences: dates.map((date) => ({
      ...date,
      due_date: formatDueDate({ ...date, due_all_day: series.due_all_day }, series.timezone),
    })),
  };
}

function readLimit(value: unknown = DATES.limit): number {
  // In a query it is text; a body says a number.
  const limit = typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : value;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > DATES.most)
    throw new FieldError('limit', `expected 1 to ${DATES.most}`);
  return limit;
}
