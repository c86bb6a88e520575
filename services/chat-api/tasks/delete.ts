import type { Pool, Sql } from '#shared/db';
import type { Actor } from '#shared/events';
import { type Cause, deleted } from '../changes/change.ts';
import { columns } from '../changes/columns.ts';
import { excludeDate, lockTask, type TaskRow } from '../changes/task-row.ts';
import { deleteTasks } from '../changes/write.ts';
import { insertNextDate, lockParent } from '../series/next-date.ts';
import { requireMatch } from './if-match.ts';

/** Tasks deleted by one statement: Postgres takes 256 MB of JSON, and one of them with its event weighs up to 45 KB. */
const CHUNK = 500;

/**
 * Deletes a task; a series with its instances, each with its own event. An instance that is being inserted waits for
 * the lock of its series and then finds it gone. `task` is as it was read before. @throws {ApiError} 404, 412
 */
export async function deleteTask(
  sql: Pool,
  { task, ifMatch, cause }: { task: TaskRow; ifMatch: string | null; cause: Cause },
): Promise<void> {
  await sql.begin(async (tx) => {
    await lockParent(tx, task);
    const row = await lockTask(tx, task.id, task.user_id);
    requireMatch(row, ifMatch);
    const { parent_recurring_task_id: seriesId } = row;
    if (seriesId !== null) await excludeDate(tx, seriesId, row.occurrence_date);
    await deleteLocked(tx, row, cause);
    if (seriesId !== null) await insertNextDate(tx, seriesId, cause);
  });
}

/**
 * Deletes all tasks of a person with their events, in several transactions; repeat it if it was interrupted. Disable
 * the account first, so that none is added meanwhile. @returns how many were deleted
 */
export async function deleteAllTasks(
  sql: Pool,
  userId: string,
  actor: Actor,
  { now = () => new Date(), correlationId = crypto.randomUUID() }: { now?: () => Date; correlationId?: string } = {},
): Promise<number> {
  const causeNow = (): Cause => ({ actor, correlationId, traceparent: null, now: now() });
  let count = 0;
  for (const id of await seriesIds(sql, userId)) count += await deleteSeries(sql, id, causeNow());
  for (let size = CHUNK; size === CHUNK; count += size) size = await deleteChunk(sql, userId, causeNow());
  return count;
}

/** The row is locked; its instances, if it has any, are locked here and go before it. @returns how many were deleted */
async function deleteLocked(tx: Sql, row: TaskRow, cause: Cause): Promise<number> {
  let count = 0;
  for (let size = CHUNK; size === CHUNK; count += size) size = await deleteInstances(tx, row.id, cause);
  await deleteTasks(tx, [deleted(row, cause)]);
  return count + 1;
}

async function deleteInstances(tx: Sql, seriesId: string, cause: Cause): Promise<number> {
  const rows = await tx<TaskRow[]>`
    select ${tx(columns)} from tasks where parent_recurring_task_id = ${seriesId} order by id limit ${CHUNK} for update`;
  await deleteTasks(
    tx,
    rows.map((row) => deleted(row, cause)),
  );
  return rows.length;
}

async function seriesIds(sql: Sql, userId: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from tasks where user_id = ${userId} and recurrence_pattern is not null order by id`;
  return rows.map(({ id }) => id);
}

function deleteSeries(sql: Pool, id: string, cause: Cause): Promise<number> {
  return sql.begin(async (tx) => {
    const [row] = await tx<TaskRow[]>`select ${tx(columns)} from tasks where id = ${id} for update`;
    return row ? deleteLocked(tx, row, cause) : 0;
  });
}

function deleteChunk(sql: Pool, userId: string, cause: Cause): Promise<number> {
  return sql.begin(async (tx) => {
    const rows = await tx<TaskRow[]>`
      select ${tx(columns)} from tasks where user_id = ${userId} order by id limit ${CHUNK} for update`;
    await deleteTasks(
      tx,
      rows.map((row) => deleted(row, cause)),
    );
    return rows.length;
  });
}
