import type { Sql } from '#shared/db';
import { type Page, pagesFrom, readRows, type Size } from '#shared/page';
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
/** Payloads of one page of the API, which is held as a whole. */
const PAGE_BYTES = 1024 * 1024;
/** Of the first statement: to measure a payload of 60 kB takes 0.2 ms. */
const FIRST_ROWS = 100;

/** Events, how long their payloads are together, and the cursor of the page that follows; null: these were the last. */
export interface EventPage {
  rows: AuditEvent[];
  bytes: number;
  next: string | null;
}

/** At most `limit` events, and 1 MiB of payloads. */
export async function readPage(sql: Sql, search: Search, limit = PAGE_ROWS): Promise<EventPage> {
  const page: { rows: AuditEvent[]; bytes: number; next: Place | null } = { rows: [], bytes: 0, next: null };
  const read = async (after: Place | null, most: Size) => {
    const part = await readPart(sql, { ...search, after }, most);
    page.rows.push(...part.rows);
    page.bytes += part.bytes;
    page.next = part.next;
    return part;
  };
  for await (const _ of pagesFrom(search.after, read, { first: FIRST_ROWS, total: limit })) {
    if (page.bytes >= PAGE_BYTES) break;
  }
  return { ...page, next: page.next && cursorOf(page.next) };
}

/** All that is found, in pages: each is one short statement, run when the page before was taken. */
export const readPages = (sql: Sql, search: Search): AsyncGenerator<AuditEvent[], undefined> =>
  pagesFrom<AuditEvent, Place>(search.after, (after, most) => readPart(sql, { ...search, after }, most), {
    first: FIRST_ROWS,
  });

/** Whether the trail knows this task, and as somebody else's. An unknown one is nobody's: its events may be on the way. */
export async function isOfOthers(sql: Sql, taskId: string, userId: string): Promise<boolean> {
  const [row] = await sql<{ user_id: string }[]>`
    select user_id from task_events where task_id = ${taskId} order by user_id = ${userId} desc limit 1`;
  return row !== undefined && row.user_id !== userId;
}

type Row = Omit<AuditEvent, 'timestamp' | 'stored_at'> & { timestamp: Date; stored_at: Date };

async function readPart(sql: Sql, search: Search, most: Size): Promise<Page<AuditEvent, Place> & { bytes: number }> {
  const { taskId, userId, type, correlationId, from, to, order, after } = search;
  const select = sql`
    select ${sql(columns)} from task_events
    where true
      ${taskId === undefined ? sql`` : sql`and task_id = ${taskId}`}
      ${userId === undefined ? sql`` : sql`and user_id = ${userId}`}
      ${type === undefined ? sql`` : sql`and event_type = ${type}`}
      ${correlationId === undefined ? sql`` : sql`and correlation_id = ${correlationId}`}
      ${from === undefined ? sql`` : sql`and timestamp >= ${from} and partition_key >= ${dateOf(from)}`}
      ${to === undefined ? sql`` : sql`and timestamp < ${to} and partition_key <= ${dateOf(to)}`}
      ${after === null ? sql`` : beyond(sql, order, after)}`;
  const sorted = order === 'oldest first' ? sql`timestamp, event_id` : sql`timestamp desc, event_id desc`;
  const list = { select, columns, order: sorted, size: sql`octet_length(payload::text)` };
  const { rows, bytes, isCut } = await readRows<Row>(sql, list, most);
  const events = rows.map(answered);
  return { rows: events, bytes, next: isCut ? (events.at(-1) ?? null) : null };
}

const columns: (keyof Row)[] = [
  'event_id',
  'event_type',
  'task_id',
  'user_id',
  'timestamp',
  'stored_at',
  'correlation_id',
  'payload',
];

const answered = ({ timestamp, stored_at, event_id, event_type, task_id, user_id, correlation_id, payload }: Row) => ({
  ...{ event_id, event_type, task_id, user_id, correlation_id, payload },
  timestamp: timestamp.toISOString(),
  stored_at: stored_at.toISOString(),
});

/** The day beside the time tells Postgres which partitions it need not look into. */
function beyond(sql: Sql, order: Search['order'], { timestamp, event_id }: Place) {
  const day = timestamp.slice(0, 10);
  return order === 'oldest first'
    ? sql`and (timestamp, event_id) > (${timestamp}, ${event_id}) and partition_key >= ${day}`
    : sql`and (timestamp, event_id) < (${timestamp}, ${event_id}) and partition_key <= ${day}`;
}

const dateOf = (instant: Date) => instant.toISOString().slice(0, 10);
