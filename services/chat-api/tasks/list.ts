import type { Sql } from '#shared/db';
import { isUuid } from '#shared/correlation';
import { ApiError, refusingAsync } from '#shared/errors';
import { FEW, inParts, type Page, readAll, readRows, type Rows, type Size } from '#shared/page';
import { isPiledUp } from '#shared/text';
import { isInstant } from '#shared/time';
import { columns } from '../changes/columns.ts';
import { type TaskRow, textBytes, textSize } from '../changes/task-row.ts';
import { dueFilter, filtersByDue, type Zones, zonesOf } from './due-filter.ts';

export type ListQuery = Readonly<Record<string, string | undefined>>;

/** Tasks of one page. */
export const MAX_LIMIT = 1000;
/** Titles and descriptions of a page of more than a few tasks. */
const MAX_BYTES = 1024 * 1024;

/** Tasks, and the cursor of those that follow, or null. */
export type List = Rows<TaskRow> & { next: string | null };

/**
 * The tasks of a user, newest first unless sorted otherwise: with `limit` at most so many, without it all of them. Paging goes
 * by key, so that what is created meanwhile shifts nothing.
 * `reading` runs each statement, also those of the parts that are taken later.
 * @throws {ApiError} 400 INVALID_QUERY naming the parameter
 */
export async function listTasks(
  sql: Sql,
  userId: string,
  query: ListQuery,
  now: Date,
  reading: <T>(read: () => Promise<T>) => Promise<T> = (read) => read(),
): Promise<List> {
  const limit = readLimit(query.limit);
  const order = readSort(query.sort);
  const zones = filtersByDue(query) ? await zonesOf(sql, userId) : null;
  const start = query.cursor === undefined ? null : decodeCursor(order.name, query.cursor);

  const read = (after: Place | null, most: Size) => reading(() => readPart(after, most));

  async function readPart(after: Place | null, most: Size): Promise<Page<TaskRow, Place>> {
    const key = order.key(sql);
    const select = sql`
      select ${sql(columns)}, ${key} as sort_key, (${key})::text as sort_text from tasks
      where user_id = ${userId} ${filtersOf(sql, query, now, zones)} ${behind(sql, key, order, after)}`;
    const sorted = order.isRising ? sql`sort_key, id` : sql`sort_key desc, id desc`;
    const list = { select, columns: [...columns, 'sort_text'], order: sorted, size: textSize(sql) };
    const { rows, isCut } = await readRows<TaskRow & { sort_text: string }>(sql, list, most);
    const last = rows.at(-1);
    return { rows, next: last && isCut ? { at: last.sort_text, id: last.id } : null };
  }

  return refusingAsync('INVALID_QUERY', async () => {
    if (limit === null) return { next: null, ...(await readAll(start, read, textBytes)) };
    const { rows, next } = await read(start, limit <= FEW.limit ? { limit } : { limit, bytes: MAX_BYTES });
    return { next: next && encodeCursor(order.name, next), ...inParts(rows, textBytes) };
  });
}

/** The key and id of a task, as a place in an order. */
type Place = { at: string; id: string };

type Fragment = ReturnType<Sql>;
type Order = { name: string; isRising: boolean; key: (sql: Sql) => Fragment };

/** What a list may be sorted by. What has no due date comes last, in either direction. */
export const sortKeys: Record<string, (sql: Sql, isRising: boolean) => Fragment> = {
  created_at: (sql) => sql`created_at`,
  updated_at: (sql) => sql`updated_at`,
  due_date: (sql, isRising) => (isRising ? sql`coalesce(due_date, 'infinity')` : sql`coalesce(due_date, '-infinity')`),
};

function readSort(name = '-created_at'): Order {
  const isRising = !name.startsWith('-');
  const column = name.replace(/^-/, '');
  const key = Object.hasOwn(sortKeys, column) ? sortKeys[column] : undefined;
  if (!key)
    throw refused('sort', `expected one of ${Object.keys(sortKeys).join(', ')}, with - before it for descending order`);
  return { name, isRising, key: (sql) => key(sql, isRising) };
}

function readLimit(text: string | undefined): number | null {
  if (text === undefined) return null;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw refused('limit', `expected 1 to ${MAX_LIMIT}`);
  return limit;
}

/** Never behind an await: a fragment is a query, and awaiting it would run it. */
const filtersOf = (sql: Sql, query: ListQuery, now: Date, zones: Zones | null): Fragment => sql`
  ${completedFilter(sql, query)} ${zones ? dueFilter(sql, query, now, zones) : sql``}
  ${kindFilter(sql, query)} ${parentFilter(sql, query)} ${textFilter(sql, query)}`;

function completedFilter(sql: Sql, { completed }: ListQuery): Fragment {
  if (completed === undefined) return sql``;
  if (completed !== 'true' && completed !== 'false') throw refused('completed', 'expected true or false');
  return sql`and completed = ${completed === 'true'}`;
}

function kindFilter(sql: Sql, { kind }: ListQuery): Fragment {
  if (kind === undefined) return sql``;
  if (kind === 'series') return sql`and recurrence_pattern is not null`;
  if (kind === 'instance') return sql`and parent_recurring_task_id is not null`;
  if (kind === 'task') return sql`and recurrence_pattern is null and parent_recurring_task_id is null`;
  throw refused('kind', 'expected task, series or instance');
}

function parentFilter(sql: Sql, { parent }: ListQuery): Fragment {
  if (parent === undefined) return sql``;
  if (!isUuid(parent)) throw refused('parent', 'expected the id of a series');
  return sql`and parent_recurring_task_id = ${parent}`;
}

/**
 * Letter by letter, whatever case and Unicode form both sides have (`search_form` of migration 0004). What is sought is
 * brought into its form by a query of its own: once, and not again for each row.
 */
function textFilter(sql: Sql, { q }: ListQuery): Fragment {
  if (q === undefined || q.trim() === '') return sql``;
  if (q.includes('\0')) throw refused('q', 'holds a character that is no text');
  if (isPiledUp(q)) throw refused('q', 'holds more than 30 combining marks in a row');
  const sought = sql`(select search_form(${q.trim()}))`;
  return sql`and (strpos(search_form(title), ${sought}) > 0 or strpos(search_form(description), ${sought}) > 0)`;
}

/** The time goes as text: as a Date it would lose its microseconds, and the page its place. */
function behind(sql: Sql, key: Fragment, { isRising }: Order, place: Place | null): Fragment {
  if (place === null) return sql``;
  return isRising
    ? sql`and (${key}, id) > (${place.at}::text::timestamptz, ${place.id}::uuid)`
    : sql`and (${key}, id) < (${place.at}::text::timestamptz, ${place.id}::uuid)`;
}

/** Opaque to callers; bound to its order, since a position in one order is none in another. */
const encodeCursor = (sort: string, { at, id }: Place): string =>
  Buffer.from(JSON.stringify([sort, at, id])).toString('base64url');

function decodeCursor(sort: string, text: string): Place {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    parts = null; // refused below, like a cursor of another form
  }
  const [name, at, id] = Array.isArray(parts) ? parts : [];
  if (name !== sort || !isSortKey(at) || !isUuid(String(id)))
    throw refused('cursor', 'take it from the Link header of the page before, with the same sort');
  return { at, id: String(id) };
}

/** As Postgres writes a time in UTC, and one that it will read again. */
function isSortKey(text: unknown): text is string {
  if (typeof text !== 'string') return false;
  if (/^-?infinity$/.test(text)) return true;
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00$/.test(text) && isInstant(text.replace(' ', 'T'));
}

const refused = (parameter: string, reason: string) => new ApiError(400, 'INVALID_QUERY', `${parameter}: ${reason}`);
