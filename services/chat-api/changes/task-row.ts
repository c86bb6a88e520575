import { type Sql } from '#shared/db';
import { ApiError } from '#shared/errors';
import { isUuid } from '#shared/correlation';
import { type ColumnName, columns, type HeldBy } from './columns.ts';

/** A row of `tasks`, as the driver gives it. With a pattern it is a series, with a parent an instance. */
export type TaskRow = { [C in ColumnName]: HeldBy<C> };

/** A row with the transaction that wrote it last: after any change by anybody it is another. */
export type ReadRow = TaskRow & { xmin: string };

/** A row that is a template: it has a pattern, and the due date that a pattern needs. */
export type SeriesTask = TaskRow & { recurrence_pattern: string; due_date: Date };

export const isSeries = (row: TaskRow): row is SeriesTask => row.recurrence_pattern !== null && row.due_date !== null;
export const isInstance = (row: TaskRow): boolean => row.parent_recurring_task_id !== null;

const nothing = Object.fromEntries(columns.map((column) => [column, null])) as Record<ColumnName, null>;

/** A task of this user with nothing but its owner. Ids rise with time, so that "newest first" has no ties. */
export const blankTask = (userId: string, now: Date): TaskRow => ({
  ...nothing,
  id: Bun.randomUUIDv7('hex', now),
  user_id: userId,
  title: '',
  completed: false,
  created_at: now,
  updated_at: now,
});

/** What the text of a task weighs, in bytes, and the same to Postgres: by it long lists are cut into parts. */
export const textBytes = ({ title, description }: Pick<TaskRow, 'title' | 'description'>): number =>
  Buffer.byteLength(title) + Buffer.byteLength(description ?? '');
export const textSize = (sql: Sql) => sql`octet_length(title) + coalesce(octet_length(description), 0)`;

/** An id as we write it, however the caller did: in lower case. @throws {ApiError} 404 for what is none */
export function knownForm(id: string): string {
  if (isUuid(id)) return id.toLowerCase();
  throw notFound();
}

/** @throws {ApiError} 404, also for an id that is none; 403 for another user's task */
export async function readTask(sql: Sql, id: string, userId: string): Promise<ReadRow> {
  const [row] = await sql<ReadRow[]>`select ${sql(columns)}, xmin::text from tasks where id = ${knownForm(id)}`;
  return owned(row, userId);
}

/** As `readTask`, and nobody else changes the row before this transaction ends. */
export async function lockTask(tx: Sql, id: string, userId: string): Promise<TaskRow> {
  const [row] = await tx<TaskRow[]>`select ${tx(columns)} from tasks where id = ${knownForm(id)} for update`;
  return owned(row, userId);
}

function owned<Row extends TaskRow>(row: Row | undefined, userId: string): Row {
  if (!row) throw notFound();
  if (row.user_id !== userId) throw new ApiError(403, 'FORBIDDEN', 'This task belongs to somebody else.');
  return row;
}

const notFound = () => new ApiError(404, 'TASK_NOT_FOUND', 'There is no task with this id.');

/** The date of a deleted instance is excluded, so that no edit of the series makes it come back. */
export async function excludeDate(tx: Sql, seriesId: string, date: string | null): Promise<void> {
  await tx`
    update tasks set exdates = array_append(coalesce(exdates, '{}'), ${date}::date)
    where id = ${seriesId} and ${date}::date is not null and not coalesce(exdates, '{}') @> array[${date}::date]`;
}
