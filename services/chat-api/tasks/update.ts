import type { Pool, Sql } from '#shared/db';
import { FieldError } from '#shared/field';
import { ApiError, refusingAsync } from '#shared/errors';
import { type Cause, changed, type Change, created } from '../changes/change.ts';
import { withReminder } from '../changes/reminder-status.ts';
import { isInstance, isSeries, lockTask, type ReadRow, type SeriesTask, type TaskRow } from '../changes/task-row.ts';
import { insertTasks, updateTasks, updateUnchanged } from '../changes/write.ts';
import { updateSeries } from '../series/edit.ts';
import { insertNextDate, lockParent } from '../series/next-date.ts';
import { asSeries, instanceOf } from '../series/template.ts';
import { userTimezone } from './create.ts';
import { needsUserTimezone, type TaskInput, withFields } from './fields.ts';
import { requireMatch } from './if-match.ts';

export type Scope = 'this' | 'series';
export type Update = {
  /** As it was read before: whose it is, and which its series is, never changes. */
  task: ReadRow;
  input: TaskInput;
  ifMatch: string | null;
  scope: Scope | null;
  cause: Cause;
};

/** The task as it is now, and the events of the change (none when nothing differs). */
export type Updated = { row: TaskRow; changes: Change[]; isSeriesEdit: boolean };

/** Whether a change is that of a whole series. To make one of a task is as heavy: the dates of a rule are sought. */
export const isOfSeries = ({ task, scope, input }: Update): boolean =>
  isSeries(task) || scope === 'series' || input.recurrence_pattern != null;

/**
 * Changes a task, or by its scope a series with its open, unedited instances (CONTRACT 7): all of it, or nothing.
 * @throws {ApiError} 400 TASK_UPDATE_ERROR naming the field, 404, 409 SERIES_NOT_COMPLETABLE, 412
 */
export function updateTask(sql: Pool, update: Update): Promise<Updated> {
  return refusingAsync(
    'TASK_UPDATE_ERROR',
    async () => (await updateAsRead(sql, update)) ?? (await sql.begin((tx) => updateLocked(tx, update))),
  );
}

/** The change of one task, without a lock. Null, and nothing written, where it takes others, or somebody was faster. */
async function updateAsRead(sql: Sql, update: Update): Promise<Updated | null> {
  const { task, input, ifMatch } = update;
  if (isOfSeries(update) || (isInstance(task) && input.completed === true)) return null;
  requireMatch(task, ifMatch);
  const change = await changeOf(sql, task, update);
  if (!change) return { row: task, changes: [], isSeriesEdit: false };
  const isWritten = await updateUnchanged(sql, task, change);
  return isWritten ? { row: change.row, changes: [change], isSeriesEdit: false } : null;
}

async function updateLocked(tx: Sql, update: Update): Promise<Updated> {
  const series = update.scope === 'series' ? await lockSeriesOf(tx, update) : null;
  const isCompletion = !series && update.input.completed === true;
  if (isCompletion) await lockParent(tx, update.task);
  const before = await lockTask(tx, update.task.id, update.task.user_id);
  requireMatch(before, update.ifMatch);
  if (series && series.id !== before.id && update.input.due_date !== undefined)
    throw new FieldError(
      'due_date',
      'this is one date of a series; change it with scope=this, or on the series itself',
    );
  if (series ?? isSeries(before)) return editSeries(tx, series ?? (before as SeriesTask), update);
  const updated = await editOne(tx, before, update);
  const { parent_recurring_task_id: parent } = before;
  if (parent === null || before.completed || !updated.row.completed) return updated;
  return { ...updated, changes: [...updated.changes, ...(await insertNextDate(tx, parent, update.cause))] };
}

/** Locks the series before any of its instances: the order in which deleting and editing a series lock too. */
async function lockSeriesOf(tx: Sql, { task }: Update): Promise<SeriesTask> {
  const row = await lockTask(tx, task.parent_recurring_task_id ?? task.id, task.user_id);
  if (!isSeries(row)) throw new FieldError('scope', 'this task belongs to no series');
  return row;
}

async function editSeries(tx: Sql, series: SeriesTask, { task, input, scope, cause }: Update): Promise<Updated> {
  if (scope === 'this') throw new FieldError('scope', 'a series is changed as a whole; leave scope away or say series');
  if (input.completed === true)
    throw new ApiError(
      409,
      'SERIES_NOT_COMPLETABLE',
      'A series cannot be completed: complete its instances, or end it with recurrence_end_date.',
    );
  const timezone = needsUserTimezone(series, input) ? await userTimezone(tx, task.user_id) : null;
  const edited = withFields(series, input, timezone);
  if (!isSeries(edited))
    throw new FieldError('recurrence_pattern', 'a series keeps one; end it with recurrence_end_date, or delete it');
  return { ...(await updateSeries(tx, series, edited, cause)), isSeriesEdit: true };
}

async function changeOf(sql: Sql, before: TaskRow, { task, input, cause }: Update): Promise<Change | null> {
  const timezone = needsUserTimezone(before, input) ? await userTimezone(sql, task.user_id) : null;
  const fields = withFields(before, input, timezone);
  return changed(before, isSeries(fields) ? asSeries(fields) : withReminder(before, fields, cause.now), cause);
}

async function editOne(tx: Sql, before: TaskRow, update: Update): Promise<Updated> {
  const { cause } = update;
  const change = await changeOf(tx, before, update);
  if (!change) return { row: before, changes: [], isSeriesEdit: false };
  await updateTasks(tx, [change]);
  const first = isSeries(change.row)
    ? [created(instanceOf(change.row, change.row.cursor_date ?? '', cause.now), cause)]
    : [];
  await insertTasks(tx, first);
  return { row: change.row, changes: [change, ...first], isSeriesEdit: false };
}
