import type { Sql } from '#shared/db';
import { ApiError, refusingAsync } from '#shared/errors';
import type { Cause, Change } from '../changes/change.ts';
import { blankTask, type TaskRow } from '../changes/task-row.ts';
import type { Computing } from '../series/dates.ts';
import { newTask } from '../series/template.ts';
import { needsUserTimezone, type TaskInput, withFields } from './fields.ts';
import type { TakeRoom } from './quota.ts';

/** Stores rows that stand or fall together: the group commit, or the transaction of an idempotency key. */
export type Store = (changes: Change[]) => Promise<void>;

/**
 * Creates a task with its event; of a series also the first instance with its own.
 * @throws {ApiError} 400 TASK_CREATION_ERROR naming the field; 409 QUOTA_EXCEEDED; 401 when the account was deleted meanwhile
 */
export async function createTask(
  sql: Sql,
  store: Store,
  {
    userId,
    takeRoom,
    computing,
    input,
    cause,
  }: { userId: string; takeRoom: TakeRoom; computing: Computing; input: TaskInput; cause: Cause },
): Promise<TaskRow> {
  const changes = await refusingAsync('TASK_CREATION_ERROR', async () => {
    const blank = blankTask(userId, cause.now);
    const { completed: _, ...fields } = input; // a new task is open, whatever is sent (Phase IV)
    const timezone = needsUserTimezone(blank, fields) ? await userTimezone(sql, userId) : null;
    const make = () => newTask(withFields(blank, { ...fields, title: fields.title ?? '' }, timezone), cause);
    return fields.recurrence_pattern == null ? make() : computing(make);
  });
  takeRoom();
  try {
    await store(changes);
  } catch (error) {
    throw refusalIfOwnerGone(error);
  }
  return changes[0].row;
}

/** The zone in the user's settings, or null. */
export async function userTimezone(sql: Sql, userId: string): Promise<string | null> {
  const [user] = await sql<{ timezone: string | null }[]>`select timezone from users where id = ${userId}`;
  return user?.timezone ?? null;
}

/** What to throw for an error of inserting a task: 401 when its owner is gone, for a session is remembered for a second. */
export function refusalIfOwnerGone(error: unknown): unknown {
  // Postgres' foreign_key_violation; of a new task only the owner can be missing.
  const isOwnerGone = error instanceof Error && 'code' in error && error.code === '23503';
  return isOwnerGone ? new ApiError(401, 'INVALID_TOKEN', 'This account no longer exists.', { cause: error }) : error;
}
