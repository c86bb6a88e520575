import { type Sql } from '#shared/db';
import { ApiError } from '#shared/errors';
import { isUuid } from '#shared/correlation';

/** A row of `tasks`, as the driver gives it. With a pattern it is a series, with a parent an instance. */
export type TaskRow = {
  id: string;
  user_id: string;
  title: string;
  description: string | null;
  completed: boolean;
  created_at: Date;
  updated_at: Date;
  priority: string | null;
  due_date: Date | null;
  due_all_day: boolean | null;
  timezone: string | null;
  recurrence_pattern: string | null;
  recurrence_end_date: Date | null;
  recurrence_end_day: string | null;
  catch_up: string | null;
  exdates: string[] | null;
  next_instance_at: Date | null;
  cursor_date: string | null;
  parent_recurring_task_id: string | null;
  occurrence_date: string | null;
  reminder_offset: string | null;
  reminder_status: string | null;
  snoozed_until: Date | null;
  version: number | null;
};

/** A row that is a template: it has a pattern, and the due date that a pattern needs. */
export type SeriesTask = TaskRow & { recurrence_pattern: string; due_date: Date };

/** Named, not `*`: a prepared `select *` breaks when a later migration adds a column while this runs. */
export const columns: (keyof TaskRow)[] = [
  'id',
  'user_id',
  'title',
  'description',
  'completed',
  'created_at',
  'updated_at',
  'priority',
  'due_date',
  'due_all_day',
  'timezone',
  'recurrence_pattern',
  'recurrence_end_date',
  'recurrence_end_day',
  'catch_up',
  'exdates',
  'next_instance_at',
  'cursor_date',
  'parent_recurring_task_id',
  'occurrence_date',
  'reminder_offset',
  'reminder_status',
  'snoozed_until',
  'version',
];

export const isSeries = (row: TaskRow): row is SeriesTask => row.recurrence_pattern !== null && row.due_date !== null;
export const isInstance = (row: TaskRow): boolean => row.parent_recurring_task_id !== null;

/** A task of this user with nothing but its owner. Ids rise with time, so that "newest first" has no ties. */
export const blankTask = (userId: string, now: Date): TaskRow => ({
  id: Bun.randomUUIDv7('hex', now),
  user_id: userId,
  title: '',
  description: null,
  completed: false,
  created_at: now,
  updated_at: now,
  priority: null,
  due_date: null,
  due_all_day: null,
  timezone: null,
  recurrence_pattern: null,
  recurrence_end_date: null,
  recurrence_end_day: null,
  catch_up: null,
  exdates: null,
  next_instance_at: null,
  cursor_date: null,
  parent_recurring_task_id: null,
  occurrence_date: null,
  reminder_offset: null,
  reminder_status: null,
  snoozed_until: null,
  version: null,
});

/** An id as we write it, however the caller did: in lower case. @throws {ApiError} 404 for what is none */
export function knownForm(id: string): string {
  if (isUuid(id)) return id.toLowerCase();
  throw notFound();
}

/** @throws {ApiError} 404, also for an id that is none; 403 for another user's task */
export async function readTask(sql: Sql, id: string, userId: string): Promise<TaskRow> {
  const [row] = await sql<TaskRow[]>`select ${sql(columns)} from tasks where id = ${knownForm(id)}`;
  return owned(row, userId);
}

/** As `readTask`, and nobody else changes the row before this transaction ends. */
export async function lockTask(tx: Sql, id: string, userId: string): Promise<TaskRow> {
  const [row] = await tx<TaskRow[]>`select ${tx(columns)} from tasks where id = ${knownForm(id)} for update`;
  return owned(row, userId);
}

function owned(row: TaskRow | undefined, userId: string): TaskRow {
  if (!row) throw notFound();
  if (row.user_id !== userId) throw new ApiError(403, 'FORBIDDEN', 'This task belongs to somebody else.');
  return row;
}

const notFound = () => new ApiError(404, 'TASK_NOT_FOUND', 'There is no task with this id.');
