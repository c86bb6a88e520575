import type { Sql } from '#shared/db';
import { CRITICAL_TYPE, type Level } from '../preferences/model.ts';
import type { InboxQuery, Row } from './model.ts';

/** A page of the inbox: newest first, or oldest first when the caller reads on `after` a number. */
export function listInbox(sql: Sql, userId: string, query: InboxQuery, limit: number): Promise<Row[]> {
  const isForward = query.after !== undefined;
  const after = Math.max(query.after ?? 0, (isForward && query.cursor) || 0);
  const before = Math.min(query.before ?? Infinity, (!isForward && query.cursor) || Infinity);
  return sql<Row[]>`
    select user_id, seq, type, notify, payload, created_at, read_at from notifications
    where user_id = ${userId} and seq > ${after}
      ${Number.isFinite(before) ? sql`and seq < ${before}` : sql``}
      ${query.unread === true ? sql`and read_at is null` : query.unread === false ? sql`and read_at is not null` : sql``}
    order by seq ${isForward ? sql`asc` : sql`desc`}
    limit ${limit}`;
}

/** Marks one row as read; the first time counts. Undefined: there is no such row. */
export async function markRead(sql: Sql, userId: string, seq: number): Promise<Row | undefined> {
  const [row] = await sql<Row[]>`
    update notifications set read_at = coalesce(read_at, now())
    where user_id = ${userId} and seq = ${seq}
    returning user_id, seq, type, notify, payload, created_at, read_at`;
  return row;
}

/** Marks everything up to `through` (null: everything) as read. @returns how many rows were unread */
export async function markAllRead(sql: Sql, userId: string, through: number | null): Promise<number> {
  const { count } = await sql`
    update notifications set read_at = now()
    where user_id = ${userId} and read_at is null and seq <= coalesce(${through}::bigint, seq)`;
  return count;
}

/** What follows a position in the inbox, and how far the inbox reaches. */
export interface Span {
  lastSeq: number;
  /** Rows up to here may be gone. */
  purgedThrough: number;
  rows: Row[];
}

/**
 * The next rows after a stream's position that its level lets through, oldest first, all in one statement: numbers
 * are taken in commit order, so every row up to `lastSeq` is visible in the same snapshot.
 */
export async function readSpan(
  sql: Sql,
  userId: string,
  { after, through, level, limit }: { after: number; through: number; level: Level; limit: number },
): Promise<Span> {
  const found = await sql<(Row & { last_seq: number; purged_through: number; seq: number | null })[]>`
    select c.last_seq, c.purged_through, n.*
    from notification_counters c
    left join lateral (
      select user_id, seq, type, notify, payload, created_at, read_at from notifications
      where user_id = c.user_id and seq > ${after} and seq <= least(${through}::bigint, c.last_seq)
        and (${level} = 'all' or (${level} = 'critical' and type = ${CRITICAL_TYPE}))
      order by seq limit ${limit}) n on true
    where c.user_id = ${userId}
    order by n.seq`;
  const [counter] = found;
  if (!counter) return { lastSeq: 0, purgedThrough: 0, rows: [] };
  return {
    lastSeq: counter.last_seq,
    purgedThrough: counter.purged_through,
    rows: counter.seq === null ? [] : found,
  };
}
