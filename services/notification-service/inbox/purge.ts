import type { Sql } from '#shared/db';
import type { Log } from '#shared/log';

const DAY_MS = 86_400_000;
const BATCH_ROWS = 1000;

/**
 * Deletes rows that are old enough and moves `purged_through` past them, so that a stream which resumes below is told.
 * In batches of 1,000, one short transaction each; any number of replicas may run it.
 */
export async function purgeInbox(
  { sql, log, readDays, unreadDays }: { sql: Sql; log: Log; readDays: number; unreadDays: number },
  now: Date,
): Promise<void> {
  const readBefore = new Date(now.getTime() - readDays * DAY_MS);
  const unreadBefore = new Date(now.getTime() - unreadDays * DAY_MS);
  let total = 0;
  for (let rows = BATCH_ROWS; rows === BATCH_ROWS; total += rows) {
    rows = await purgeBatch(sql, readBefore, unreadBefore);
  }
  if (total > 0) log.info('inbox purged', { rows: total });
}

/** Counters are locked in the order of users, as the append does it: the other way round the two would deadlock. */
async function purgeBatch(sql: Sql, readBefore: Date, unreadBefore: Date): Promise<number> {
  const [gone] = await sql<{ rows: number }[]>`
    with old as materialized (
      select user_id, seq from notifications
      where created_at < ${readBefore} and (read_at is not null or created_at < ${unreadBefore})
      order by created_at limit ${BATCH_ROWS}
    ), locked as materialized (
      select user_id from notification_counters where user_id in (select user_id from old) order by user_id for update
    ), moved as (
      update notification_counters c set purged_through = greatest(c.purged_through, newest.seq)
      from (select user_id, max(seq) as seq from old join locked using (user_id) group by user_id) newest
      where c.user_id = newest.user_id
    ), deleted as (
      delete from notifications n using old join locked using (user_id)
      where n.user_id = old.user_id and n.seq = old.seq
      returning 1
    )
    select count(*)::int as rows from deleted`;
  return gone?.rows ?? 0;
}
