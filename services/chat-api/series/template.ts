import type { Sql } from '#shared/db';
import { FieldError } from '#shared/field';
import { firstOccurrence, instanceId, nextInstanceAt, occurrenceAt, seriesOf } from '#shared/recurrence';
import { type Cause, type Change, created } from '../changes/change.ts';
import { type Copied, copied } from '../changes/columns.ts';
import { withReminder } from '../changes/reminder-status.ts';
import { blankTask, isInstance, isSeries, type SeriesTask, type TaskRow } from '../changes/task-row.ts';
import { insertTasks, lastPublished } from '../changes/write.ts';

/** What a new task consists of: itself or, of a series, the template and its first instance, visible at once. */
export function newTask(row: TaskRow, cause: Cause): [Change, ...Change[]] {
  if (!isSeries(row)) return [created(withReminder(null, row, cause.now), cause)];
  const date = firstOccurrence(seriesOf(row));
  if (date === null) throw new FieldError('recurrence_pattern', 'never occurs');
  return [created(withCursor(row, date), cause), created(instanceOf(row, date, cause.now), cause)];
}

/** A plain task that got a pattern becomes the template; its first instance is created beside it. */
export function asSeries(row: SeriesTask): SeriesTask {
  if (row.completed) throw new FieldError('recurrence_pattern', 'a completed task cannot recur; open it first');
  const date = firstOccurrence(seriesOf(row));
  if (date === null || isInstance(row)) throw new FieldError('recurrence_pattern', 'never occurs');
  return withCursor({ ...row, reminder_status: null, snoozed_until: null }, date);
}

/** The instance of a date: an ordinary task with what it copies from its series. Its id is the same from everyone. */
export function instanceOf(series: SeriesTask, date: string, now: Date): TaskRow {
  const row: TaskRow = {
    ...blankTask(series.user_id, now),
    ...copyOf(series),
    id: instanceId(series.id, date),
    due_date: occurrenceAt(seriesOf(series), date),
    parent_recurring_task_id: series.id,
    occurrence_date: date,
  };
  return withReminder(null, row, now);
}

/** What instances have from a row, or have themselves of what they were given. */
export const copyOf = (row: TaskRow): Pick<TaskRow, Copied> =>
  Object.fromEntries(copied.map((field) => [field, row[field]])) as Pick<TaskRow, Copied>;

/** Inserts instances with their events. What is there already stays as it is. @returns what was new */
export async function insertInstances(tx: Sql, rows: TaskRow[], cause: Cause): Promise<Change[]> {
  const published = await lastPublished(
    tx,
    rows.map(({ id }) => id),
  );
  const changes = rows.map((row) => created({ ...row, version: published.get(row.id)?.version ?? null }, cause));
  const inserted = await insertTasks(tx, changes);
  return changes.filter(({ row }) => inserted.has(row.id));
}

/** The series with all dates up to this one handled; the cursor never moves back. */
export function withCursor(series: SeriesTask, date: string): SeriesTask {
  const cursor = series.cursor_date !== null && series.cursor_date > date ? series.cursor_date : date;
  return { ...series, cursor_date: cursor, next_instance_at: nextLook(series, cursor) };
}

/** When the processor must look at the series again; null when it has ended. */
export const nextLook = (series: SeriesTask, cursor: string | null): Date | null =>
  nextInstanceAt(seriesOf(series), cursor, series.reminder_offset);
