import { changed, type Cause, type Change, created, deleted } from '../change.ts';
import { required } from '../columns.ts';
import { withReminder } from '../reminder-status.ts';
import type { TaskRow } from '../task-row.ts';
import type { ChangeRow } from './waiting.ts';

/** A change that says nothing an event could carry. The message names the row and its field, never what it holds. */
export class ChangeError extends Error {
  override name = 'ChangeError';
}

/**
 * The events of one task's changes, in order, numbered after `version`. The last one carries the task as it is now.
 * @throws {ChangeError} for a change not of the form that the trigger writes; RangeError for a zone or offset unknown
 */
export function eventsOf(rows: ChangeRow[], present: TaskRow | null, version: number): Change[] {
  const changes: Change[] = [];
  for (const row of rows) {
    requireForm(row);
    const after = present && row.is_last ? present : row.new;
    if (after) requireTask(after === present ? 'tasks' : 'new_row', after, row.task_id);
    const change = changeOf(row.old, after, version + changes.length, causeOf(row));
    if (change) changes.push(change);
  }
  return changes;
}

function changeOf(before: TaskRow | null, after: TaskRow | null, version: number, cause: Cause): Change | null {
  if (before === null) return after && created({ ...withReminder(null, after, cause.now), version }, cause);
  if (after === null) return deleted({ ...before, version }, cause);
  return changed({ ...before, version }, withReminder(before, after, cause.now), cause);
}

/** Nobody said who it was. The time is that of the change, so that reminders judge by it. */
const causeOf = ({ changed_at }: ChangeRow): Cause => ({
  actor: { type: 'service', id: 'chat-api' },
  correlationId: crypto.randomUUID(),
  traceparent: null,
  now: changed_at,
});

/** What the trigger writes always holds; a row that somebody else wrote, or a time beyond ISO 8601, may not. */
function requireForm({ operation, task_id, changed_at, old, new: next }: ChangeRow): void {
  if ((old === null) !== (operation === 'INSERT')) throw new ChangeError(`old_row: does not go with ${operation}`);
  if ((next === null) !== (operation === 'DELETE')) throw new ChangeError(`new_row: does not go with ${operation}`);
  if (!isTime(changed_at)) throw new ChangeError('changed_at: not a time that an event can carry');
  if (old) requireTask('old_row', old, task_id);
  if (next) requireTask('new_row', next, task_id);
}

function requireTask(side: string, row: TaskRow, taskId: string): void {
  if (row.id !== taskId) throw new ChangeError(`${side}.id: is not the task_id of the change`);
  const missing = required.find((field) => row[field] === null);
  if (missing) throw new ChangeError(`${side}.${missing}: is missing`);
  const timeless = Object.entries(row).find(([, value]) => value instanceof Date && !isTime(value));
  if (timeless) throw new ChangeError(`${side}.${timeless[0]}: not a time that an event can carry`);
}

const isTime = (date: Date): boolean => !Number.isNaN(date.getTime());
