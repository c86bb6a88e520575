import type { Sql } from '#shared/db';
import { cursorOf, type Place } from './cursor.ts';
import type { AuditEvent } from './model.ts';

/** What to look for (absent: anything; `from` inclusive, `to` exclusive), in which order, and after which place. */
export interface Search {
  taskId?: string | undefined;
  userId?: string | undefined;
  type?: string | undefined;
  correlationId?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  order: 'oldest first' | 'newest first';
  after: Place | null;
}

const PAGE_ROWS = 100;
const EXPORT_ROWS = 500;

/** `next`: the cursor of the page that follows; null: this was the last. */
export interface Page {
  events: AuditEvent[];
  next: string | null;
}

export async function readPage(sql: Sql, search: Search, limit = PAGE_ROWS): Promise<Page> {
  const rows = await select(sql, search, limit + 1);
  const events = rows.slice(0, limit);
  const last = events.at(-1);
  return { events, next: last && rows.length > limit ? cursorOf(last) : null };
}

/** All that is found, in pages: each is one short statement, run when the page before was taken. */
export async function* readPages(
  sql: Sql,
  search: Search,
  pageRows = EXPORT_ROWS,
): AsyncGenerator<AuditEvent[], undefined> {
  let after = search.after;
  while (true) {
    const events = await select(sql, { ...search, after }, pageRows);
    if (events.length > 0) yield events;
    const last = events.at(-1);
    if (!last || events.length < pageRows) return;
    after = last;
  }
}

/** Whether the trail knows this task, and as somebody else's. An unknown one is nobody's: its events may be on the way. */
export async function isOfOthers(sql: Sql, taskId: string, userId: string): Promise<boolean> {
  const [row] = await sql<{ user_id: string }[]>`
    select user_id from task_events where task_id = ${taskId} order by user_id = ${userId} desc limit 1`;
  return row !== undefined && row.user_id !== userId;
}

type Row = Omit<AuditEvent, 'timestamp' | 'stored_at'> & { timestamp: Date; stored_at: Date };

async function select(sql: Sql, search: Search, limit: number): Promise<AuditEvent[]> {
  const { taskId, userId, type, correlationId, from, to, order, after } = search;
  const rows = await sql<Row[]>`
    select event_id, event_type, task_id, user_id, timestamp, stored_at, correlation_id, payload from task_events
    where true
      ${taskId === undefined ? sql`` : sql`and task_id = ${taskId}`}
      ${userId === undefined ? sql`` : sql`and user_id = ${userId}`}
      ${type === undefined ? sql`` : sql`and event_type = ${type}`}
      ${correlationId === undefined ? sql`` : sql`and correlation_id = ${correlationId}`}
      ${from === undefined ? sql`` : sql`and timestamp >= ${from} and partition_key >= ${dateOf(from)}`}
      ${to === undefined ? sql`` : sql`and timestamp < ${to} and partition_key <= ${dateOf(to)}`}
      ${after === null ? sql`` : beyond(sql, order, after)}
    order by ${order === 'oldest first' ? sql`timestamp, event_id` : sql`timestamp desc, event_id desc`}
    limit ${limit}`;
  return rows.map((row) => ({
    ...row,
    timestamp: row.timestamp.toISOString(),
    stored_at: row.stored_at.toISOString(),
  }));
}

/** The day beside the time tells Postgres which partitions it need not look into. */
function beyond(sql: Sql, order: Search['order'], { timestamp, event_id }: Place) {
  const day = timestamp.slice(0, 10);
  return order === 'oldest first'
    ? sql`and (timestamp, event_id) > (${timestamp}, ${event_id}) and partition_key >= ${day}`
    : sql`and (timestamp, event_id) < (${timestamp}, ${event_id}) and partition_key <= ${day}`;
}

const dateOf = (instant: Date) => instant.toISOString().slice(0, 10);
