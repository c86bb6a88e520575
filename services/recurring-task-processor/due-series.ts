import type { Sql } from '#shared/db';
import type { CatchUp, SeriesRow } from '#shared/recurrence';

/** A series that must be looked at, with what its next dates are computed from. */
export type DueSeries = SeriesRow & {
  id: string;
  user_id: string;
  cursor_date: string | null;
  reminder_offset: string | null;
  catch_up: CatchUp | null;
  /** `next_instance_at` as text to the microsecond: a Date, or postgres.js given a timestamptz, cuts to milliseconds. */
  look_at: string;
};

/** How far a run has come with the series of one user, in the order in which they are due. */
export type Place = Pick<DueSeries, 'user_id' | 'look_at' | 'id'>;

/** Whose series are due, each at the beginning of them, whoever waits longest first. A disabled user waits for nothing. */
export async function duePlaces(sql: Sql, now: Date): Promise<Place[]> {
  const users = await sql<{ user_id: string }[]>`
    select user_id from tasks join users on users.id = tasks.user_id
    where next_instance_at <= ${now} and disabled_at is null
    group by user_id order by min(next_instance_at), user_id`;
  return users.map(({ user_id }) => ({ user_id, look_at: '-infinity', id: '00000000-0000-0000-0000-000000000000' }));
}

/**
 * The next `each` due series after each place, longest due first: rules of series that are not due are never computed.
 * Going on after the last one of each user, a run meets a series again only where it was moved on and is due still. Place
 * and time are compared so that only the index of users serves: that of times would pass the thousands of another user to
 * find one series (16 ms a user with 100,000 series due, and less than 0.1 so; PostgreSQL 18).
 */
export async function dueSeries(
  sql: Sql,
  { now, places, each }: { now: Date; places: Place[]; each: number },
): Promise<DueSeries[]> {
  return sql<DueSeries[]>`
    select due.* from unnest(
        ${places.map(({ user_id }) => user_id)}::uuid[],
        ${places.map(({ look_at }) => look_at)}::text[],
        ${places.map(({ id }) => id)}::uuid[]) with ordinality as place (user_id, look_at, id, number)
      cross join lateral (
        select id, user_id, recurrence_pattern, due_date, due_all_day, timezone, recurrence_end_date, recurrence_end_day,
          exdates, catch_up, reminder_offset, cursor_date, next_instance_at, next_instance_at::text as look_at
        from tasks
        where user_id = place.user_id and next_instance_at is not null
          and (user_id, next_instance_at, id) > (place.user_id, place.look_at::timestamptz, place.id)
        order by next_instance_at, id limit ${each}) as due
    where due.next_instance_at <= ${now}
    order by number, due.next_instance_at, due.id`;
}
