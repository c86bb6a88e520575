import type { Sql } from '#shared/db';
import { ApiError, refusing } from '#shared/errors';
import { type Page, readAll, readRows, type Rows, type Size } from '#shared/page';
import { textBytes, textSize } from '../changes/task-row.ts';
import { refusalIfOwnerGone } from '../tasks/create.ts';
import { readDescription, readTitle } from '../tasks/fields.ts';
import type { NewTask, Task, TaskChanges } from './model.ts';

/** Of this user, newest first, never cut: the tasks, or the pages of a long list. */
export function listTasks(sql: Sql, userId: string): Promise<Rows<Row>> {
  async function read(after: Listed | null, most: Size): Promise<Page<Row, Listed>> {
    const select = sql`
      select ${columns(sql)}, created_at::text as at from tasks
      where user_id = ${userId}
        ${after === null ? sql`` : sql`and (created_at, id) < (${after.at}::text::timestamptz, ${after.id}::uuid)`}`;
    const order = sql`created_at desc, id desc`;
    const list = { select, columns: [...columnNames, 'at'], order, size: textSize(sql) };
    const { rows, isCut } = await readRows<Listed>(sql, list, most);
    return { rows, next: isCut ? (rows.at(-1) ?? null) : null };
  }
  return readAll(null, read, textBytes);
}

/** @throws {ApiError} 400 TASK_CREATION_ERROR for a title or description of the wrong length; 401 when the account is gone */
export async function createTask(sql: Sql, userId: string, { title, description = null }: NewTask): Promise<Task> {
  const task = refusing('TASK_CREATION_ERROR', () => ({
    id: Bun.randomUUIDv7(),
    user_id: userId,
    title: readTitle(title),
    description: readDescription(description),
  }));
  const [row] = await sql<Row[]>`
    insert into tasks ${sql(task)}
    returning ${columns(sql)}`.catch((error: unknown) => Promise.reject(refusalIfOwnerGone(error)));
  if (!row) throw new Error('an insert returned no row');
  return answered(row);
}

/** Changes what is given; `description: null` clears. @throws {ApiError} 400 TASK_UPDATE_ERROR, 403, 404 */
export async function updateTask(sql: Sql, userId: string, id: string, changes: TaskChanges): Promise<Task> {
  const { title, description, completed } = changes;
  const given = refusing('TASK_UPDATE_ERROR', () => ({
    ...(title !== undefined && { title: readTitle(title) }),
    ...(description !== undefined && { description: readDescription(description) }),
    ...(completed !== undefined && { completed }),
    updated_at: new Date(),
  }));
  const [row] = await sql<Row[]>`
    update tasks set ${sql(given)} where id = ${id} and user_id = ${userId} returning ${columns(sql)}`;
  return row ? answered(row) : refuseAbsent(sql, id);
}

/** @throws {ApiError} 403, 404 */
export async function deleteTask(sql: Sql, userId: string, id: string): Promise<void> {
  const rows = await sql`delete from tasks where id = ${id} and user_id = ${userId} returning id`;
  if (rows.length === 0) await refuseAbsent(sql, id);
}

interface Row extends Omit<Task, 'created_at' | 'updated_at'> {
  created_at: Date;
  updated_at: Date;
}

/** With its place in a list; the time as text, since a Date would lose the microseconds. */
interface Listed extends Row {
  at: string;
}

/** Named one by one: no column of Phase V is in any statement of this folder. */
const columnNames = ['id', 'user_id', 'title', 'description', 'completed', 'created_at', 'updated_at'];
const columns = (sql: Sql) => sql(columnNames);

export const answered = ({ id, user_id, title, description, completed, created_at, updated_at }: Row): Task => ({
  ...{ id, user_id, title, description, completed },
  created_at: created_at.toISOString(),
  updated_at: updated_at.toISOString(),
});

async function refuseAbsent(sql: Sql, id: string): Promise<never> {
  const rows = await sql`select 1 from tasks where id = ${id}`;
  if (rows.length > 0) throw new ApiError(403, 'FORBIDDEN', 'This task belongs to somebody else.');
  throw new ApiError(404, 'TASK_NOT_FOUND', 'There is no such task.');
}
