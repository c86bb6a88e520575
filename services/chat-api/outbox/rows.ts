import type { Sql } from '#shared/db';
import { eventTypes, type TaskEvent } from '#shared/events';
import { EVENTS_KEPT_DAYS } from '#shared/retention';

/** A row that this relay may send now. `event` is as written; whether it is valid shows when it is sent. */
export type OutboxRow = {
  seq: number;
  event_id: string;
  event_type: string;
  task_id: string;
  event: TaskEvent;
  traceparent: string | null;
  created_at: Date;
};

/** Longer than a publish can take (10 s): a claim that runs out belongs to a relay that died. */
const LEASE = '15 seconds';
/** How long sent rows are kept, for `ops events republish` and for consumers that were away (CONTRACT 6). */
const KEPT = `${EVENTS_KEPT_DAYS} days`;
/** An edit of its series can bring an instance back under its id, and its numbers must go on while a consumer knows them. */
const LAST_OF_INSTANCE_KEPT = '30 days';
const PURGE_ROWS = 5000;

/**
 * Takes up to `limit` rows for 15 s. Of a task only the row with its lowest unsent version: so one event of a task is
 * under way at most, in any relay of any replica. A parked row holds back its own task and no other, and so does one of a
 * type that a later version writes: the relays of that version take it, beside which this one runs for a while.
 */
export async function claimRows(sql: Sql, limit: number): Promise<OutboxRow[]> {
  // `= (select …)` and `= any(array(…))` cannot become joins, so the work is one look into an index for each row taken. Its order
  // leaves the planner the index by task alone: with `min` it read all that waits for each row, 10,000 rows in 25 s (measured).
  const rows = await sql<OutboxRow[]>`
    update outbox set claimed_until = now() + ${LEASE}::interval
    where seq = any(array(
      select seq from outbox as candidate
      where sent_at is null and parked_at is null and (claimed_until is null or claimed_until < now())
        and event_type = any(${eventTypes}::text[])
        and task_version = (
          select task_version from outbox as unsent
          where unsent.task_id = candidate.task_id and unsent.sent_at is null
          order by task_version limit 1)
      order by seq limit ${limit} for update skip locked))
    returning seq, event_id, event_type, task_id, event, traceparent, created_at`;
  return rows.sort((a, b) => a.seq - b.seq);
}

/** The broker has these. A mark that is lost makes the event go out again, with the same id. */
export async function markSent(sql: Sql, seqs: number[]): Promise<void> {
  if (seqs.length > 0)
    await sql`update outbox set sent_at = now(), claimed_until = null where seq = any(${seqs}::bigint[])`;
}

/** Gives rows back, to be claimed by anybody after `delayMs`: later than the others, so that one cannot hold them up. */
export async function releaseRows(sql: Sql, seqs: number[], delayMs: number): Promise<void> {
  if (seqs.length === 0) return;
  await sql`
    update outbox set claimed_until = now() + make_interval(secs => ${delayMs / 1000}) where seq = any(${seqs}::bigint[])`;
}

/** Sets a row aside that would be refused for ever; `ops outbox repair` lets it go on. */
export async function parkRow(sql: Sql, seq: number, reason: string): Promise<void> {
  await sql`update outbox set parked_at = now(), parked_reason = ${reason}, claimed_until = null where seq = ${seq}`;
}

/** Deletes rows that were sent as long ago (of deleted instances the last one after 30), a portion at a time. @returns how many */
export async function purgeSent(sql: Sql): Promise<number> {
  const { count } = await sql`
    delete from outbox where seq in (
      select seq from outbox
      where sent_at < now() - ${KEPT}::interval and (
        event_type <> 'task.deleted' or event #>> '{task,parent_recurring_task_id}' is null
        or sent_at < now() - ${LAST_OF_INSTANCE_KEPT}::interval)
      limit ${PURGE_ROWS} for update skip locked)`;
  return count;
}

/** What waits: rows not sent (the parked ones too), the age of the oldest that may go, and how many are parked. */
export async function backlog(sql: Sql): Promise<{ unsent: number; oldest_seconds: number; parked: number }> {
  const [row] = await sql<{ unsent: number; oldest_seconds: number; parked: number }[]>`
    select count(*)::int as unsent, count(parked_at)::int as parked,
      coalesce(extract(epoch from now() - min(created_at) filter (where parked_at is null)), 0)::float8 as oldest_seconds
    from outbox where sent_at is null`;
  return row ?? { unsent: 0, oldest_seconds: 0, parked: 0 };
}
