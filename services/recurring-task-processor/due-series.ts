import type { Sql } from '#shared/db';
import type { CatchUp, SeriesRow } from '#shared/recurrence';

/** A series that must be looked at, with what its next dates are computed from. */
export type DueSeries = SeriesRow & {
  id: string;
  cursor_date: string | null;
  reminder_offset: string | null;
  catch_up: CatchUp | null;
  /** `next_instance_at` as text to the microsecond: a Date, or postgres.js given a timestamptz, cuts to milliseconds. */
  look_at: string;
};

/**
 * The next due series after one, longest due first, by the index that chat-api keeps: rules of series that are not due
 * are never computed. Going on after the last one of a page, a run meets each series once, whatever became of it.
 */
export async function dueSeries(
  sql: Sql,
  { now, after, limit }: { now: Date; after: Pick<DueSeries, 'look_at' | 'id'> | undefined; limit: number },
): Promise<DueSeries[]> {
  return sql<DueSeries[]>`
    select tasks.id, recurrence_pattern, due_date, due_all_day, tasks.timezone, recurrence_end_date,
      recurrence_end_day, exdates, catch_up, reminder_offset, cursor_date, next_instance_at::text as look_at
    from tasks join users on users.id = tasks.user_id
    where next_instance_at <= ${now} and disabled_at is null
      ${after === undefined ? sql`` : sql`and (next_instance_at, tasks.id) > (${after.look_at}::text::timestamptz, ${after.id})`}
    order by next_instance_at, tasks.id limit ${limit}`;
}
