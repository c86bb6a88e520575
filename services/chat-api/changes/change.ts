import type { Principal } from '#shared/auth';
import { formatDueDate } from '#shared/due';
import type { Actor, TaskCreated, TaskDeleted, TaskEvent, TaskUpdated, TaskCompleted } from '#shared/events';
import { endOf } from '#shared/recurrence';
import { type Task, taskSchema } from '#shared/task';
import type { TaskRow } from './task-row.ts';

/** Who makes a change, in which request, and when: what every event of it says. */
export type Cause = { actor: Actor; correlationId: string; traceparent: string | null; now: Date };

/** A task row to be written and the event that tells of it; they are stored in one statement. */
export type Change = { row: TaskRow; event: TaskEvent; traceparent: string | null };

/** A person by their user id, also behind an API token, which adds its name; only one service may call us. */
export function actorOf({ type, userId, name }: Principal): Actor {
  if (type === 'service') return { type, id: 'recurring-task-processor' };
  return { type, id: userId, ...(name !== null && { name }) };
}

const published = Object.keys(taskSchema.properties) as (keyof Task)[];

/** The task as events carry it: all fields, nulls explicit, due date and end in the form given (CONTRACT 11). */
export function toTask(row: TaskRow): Task {
  const fields: Partial<Record<keyof Task, unknown>> = {};
  for (const field of published) fields[field] = plain(row[field]);
  return Object.assign(fields as { [F in keyof Task]: Plain<TaskRow[F]> }, {
    due_date: dueDateOf(row),
    recurrence_end_date: plain(endOf(row)),
    version: row.version ?? 0,
  });
}

type Plain<V> = V extends Date ? string : V;

const plain = <V>(value: V): Plain<V> => (value instanceof Date ? value.toISOString() : value) as Plain<V>;

const dueDateOf = ({ due_date, due_all_day, timezone }: TaskRow): string | null =>
  due_date && formatDueDate({ due_date, due_all_day: due_all_day ?? false }, timezone ?? 'UTC');

/** The row is new: it gets version 1 (one more, when its id had events before). */
export function created(row: TaskRow, cause: Cause): Change {
  const next = { ...row, version: (row.version ?? 0) + 1 };
  const event: TaskCreated = { event_type: 'task.created', ...common(next, cause), task: toTask(next) };
  return { row: next, event, traceparent: cause.traceparent };
}

/**
 * The change from one row to another, numbered one higher; null when no field differs. Completing is an event of its
 * own, opening again is an update (CONTRACT 11).
 */
export function changed(before: TaskRow, after: TaskRow, cause: Cause): Change | null {
  const changes = differences(before, after);
  if (Object.keys(changes).length === 0) return null;
  const row = { ...after, updated_at: later(cause.now, before.updated_at), version: (before.version ?? 0) + 1 };
  const facts = { ...common(row, cause), changes, task: toTask(row) };
  const event: TaskUpdated | TaskCompleted =
    after.completed && !before.completed
      ? { event_type: 'task.completed', ...facts, completed_at: facts.timestamp }
      : { event_type: 'task.updated', ...facts };
  return { row, event, traceparent: cause.traceparent };
}

/** It tells the newer of two copies that have no version, so it grows also where another replica's clock is ahead of ours. */
const later = (now: Date, before: Date): Date => new Date(Math.max(now.getTime(), before.getTime() + 1));

/** The row is to go; the event carries its last state and the number after its last. */
export function deleted(row: TaskRow, cause: Cause): Change {
  const last = { ...row, version: (row.version ?? 0) + 1 };
  const facts = common(last, cause);
  const event: TaskDeleted = { event_type: 'task.deleted', ...facts, deleted_at: facts.timestamp, task: toTask(last) };
  return { row: last, event, traceparent: cause.traceparent };
}

const common = (row: TaskRow & { version: number }, { actor, correlationId, now }: Cause) => ({
  event_id: Bun.randomUUIDv7(),
  timestamp: now.toISOString(),
  actor,
  task_id: row.id,
  user_id: row.user_id,
  recipients: [row.user_id],
  task_version: row.version,
  correlation_id: correlationId,
});

/** Every field that differs, as events carry it; what changes with each change by itself is left out. */
function differences(before: TaskRow, after: TaskRow): Record<string, { old: unknown; new: unknown }> {
  const [old, next] = [toTask(before), toTask(after)];
  const fields = (Object.keys(next) as (keyof Task)[]).filter(
    (field) => old[field] !== next[field] && field !== 'updated_at' && field !== 'version',
  );
  return Object.fromEntries(fields.map((field) => [field, { old: old[field], new: next[field] }]));
}
