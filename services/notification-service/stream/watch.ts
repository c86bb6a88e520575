import { type Sql, within } from '#shared/db';
import type { Level } from '../preferences/model.ts';
import type { Connections } from './connections.ts';

/** A hanging database must not hold a look for ever; streams stay open meanwhile. */
const LOOK_MS = 8000;

/**
 * Looks once how far the inboxes of all users with open streams reach and what their streams carry. This is the truth
 * about rows and preferences that other replicas wrote, and about an inbox that is shorter than it was (a database restored
 * from a backup); hints only make it faster.
 */
export async function lookForRows({ sql, connections }: { sql: Sql; connections: Connections }): Promise<void> {
  const audiences = [...connections.audiences()];
  if (audiences.length === 0) return;
  const news = await within(
    LOOK_MS,
    sql<{ user_id: string; last_seq: number; level: Level }[]>`
      select u.user_id, coalesce(c.last_seq, 0) as last_seq, coalesce(p.level, 'all') as level
      from unnest(
        ${audiences.map(({ userId }) => userId)}::uuid[],
        ${audiences.map(({ head }) => head)}::bigint[],
        ${audiences.map(({ level }) => level)}::text[]) as u (user_id, head, level)
      left join notification_counters c using (user_id)
      left join notification_preferences p using (user_id)
      where coalesce(c.last_seq, 0) <> u.head or coalesce(p.level, 'all') <> u.level`,
  );
  for (const { user_id: userId, last_seq: lastSeq, level } of news) {
    connections.setLevel(userId, level);
    connections.setHead(userId, lastSeq);
  }
  // A stream whose last read failed has nobody else to start it again.
  for (const stream of connections.all()) stream.advance();
}

/**
 * Ends the streams whose token has expired, then those whose session was revoked or whose user is disabled or gone.
 * When the database does not answer, streams stay as they are.
 */
export async function endUnauthorized(
  { sql, connections }: { sql: Sql; connections: Connections },
  now: Date,
): Promise<void> {
  for (const stream of connections.all()) {
    const { exp } = stream.principal;
    if (exp && exp <= now) stream.end('token-expired');
  }
  const streams = connections.all();
  if (streams.length === 0) return;
  const sids = [...new Set(streams.map(({ principal }) => principal.sid))];
  const rows = await within(LOOK_MS, sql<{ id: string }[]>`select id from live_session_ids(${sids}::uuid[]) as id`);
  const live = new Set(rows.map(({ id }) => id));
  for (const stream of streams) {
    if (!live.has(stream.principal.sid)) stream.end('session-ended');
  }
}
