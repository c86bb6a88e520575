import type { Sql } from '#shared/db';
import { readRows } from '#shared/page';
import type { InboxQuery, Row } from './model.ts';

/** Payloads of one page, which is held as a whole; a row may hold 60 kB. */
const PAGE_BYTES = 1024 * 1024;

/**
 * A page of the inbox, at most `limit` rows and 1 MiB: newest first, or oldest first when the caller reads on `after` a
 * number. `bytes`: of all payloads;
 * `next`: the number behind which others follow.
 */
export async function listInbox(
  sql: Sql,
  userId: string,
  query: InboxQuery,
  limit: number,
): Promise<{ rows: Row[]; bytes: number; next: number | null }> {
  const isForward = query.after !== undefined;
  const after = Math.max(query.after ?? 0, (isForward && query.cursor) || 0);
  const before = Math.min(query.before ?? Infinity, (!isForward && query.cursor) || Infinity);
  const select = sql`
    select ${sql(columns)} from notifications
    where user_id = ${userId} and seq > ${after}
      ${Number.isFinite(before) ? sql`and seq < ${before}` : sql``}
      ${query.unread === true ? sql`and read_at is null` : query.unread === false ? sql`and read_at is not null` : sql``}`;
  const list = { select, columns, order: isForward ? sql`seq` : sql`seq desc`, size: sql`octet_length(payload::text)` };
  const { rows, bytes, isCut } = await readRows<Row>(sql, list, { limit, bytes: PAGE_BYTES });
  return { rows, bytes, next: isCut ? (rows.at(-1)?.seq ?? null) : null };
}

const columns: (keyof Row)[] = ['user_id', 'seq', 'type', 'notify', 'payload', 'created_at', 'read_at'];

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
 * The next rows after a position, oldest first, of these types alone (null: of each), all in one statement: numbers are
 * taken in commit order, so every row up to `lastSeq` is visible in the same snapshot.
 */
export async function readSpan(
  sql: Sql,
  userId: string,
  { after, through, types, limit }: { after: number; through: number; types: string[] | null; limit: number },
): Promise<Span> {
  const found = await sql<(Row & { last_seq: number; purged_through: number; seq: number | null })[]>`
    select c.last_seq, c.purged_through, n.*
    from notification_counters c
    left join lateral (
      select user_id, seq, type, notify, payload, created_at, read_at from notifications
      where user_id = c.user_id and seq > ${after} and seq <= least(${through}::bigint, c.last_seq)
        and (${types}::text[] is null or type = any(${types}))
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
