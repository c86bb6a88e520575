import { type Static, Type as t } from '@sinclair/typebox';
import type { Pool } from '#shared/db';
import type { Received } from '#shared/decide';
import { triggerAt } from '#shared/due';
import { anyEventSchema } from '#shared/events';
import { taskSchema } from '#shared/task';
import { readInstant } from '#shared/time';
import type { Heap } from './heap.ts';
import { type Reminder, writeReminders } from './schedule.ts';

const FIELDS = [
  'title',
  'due_date',
  'due_all_day',
  'timezone',
  'reminder_offset',
  'reminder_status',
  'snoozed_until',
] as const;

/** What this service reads of the four events that change a task; nothing else of them is checked (CONTRACT 11). */
export const changeSchema = t.Object({
  ...anyEventSchema.properties,
  task: t.Pick(taskSchema, FIELDS),
});
export type ChangeEvent = Static<typeof changeSchema>;

/**
 * Writes what task events mean for the tasks' reminders, before the delivery is acknowledged, so a crash loses nothing.
 * Idempotent, and indifferent to the order of a task's events (CONTRACT 2.3). The heap takes what is due within `horizonMs`.
 */
export async function handleTaskEvents(
  { sql, heap, horizonMs, now }: { sql: Pool; heap: Heap; horizonMs: number; now: () => number },
  batch: Received<ChangeEvent>[],
): Promise<void> {
  const said = batch.flatMap(({ event, traceparent }) => {
    const reminder = reminderOf(event, traceparent);
    return isNeeded(event, reminder) ? reminder : [];
  });
  for (const { task_id: taskId, task_version: version, ...row } of await writeReminders(sql, said, new Date(now()))) {
    heap.cancel(taskId, version);
    const at = row.status === 'pending' ? (row.trigger_at?.getTime() ?? Infinity) : Infinity;
    if (at <= now() + horizonMs) heap.put({ taskId, version, at });
  }
}

/** A row without a reminder says that older news is old. Of a task that was just created there is none. */
const isNeeded = ({ event_type: type, task_version: version }: ChangeEvent, { status }: Reminder): boolean =>
  status !== 'cancelled' || type !== 'task.created' || version !== 1;

/**
 * The reminder of a task as one of its events leaves it (CONTRACT 8).
 * @throws {FieldError | RangeError} for a due date, zone or offset that no producer of ours writes
 */
export function reminderOf(event: ChangeEvent, traceparent: string | null): Reminder {
  const { task, task_id, user_id, task_version, recipients, correlation_id } = event;
  const trigger = task.reminder_status === null ? null : triggerAt(task);
  return {
    reminder_id: reminderId(task_id),
    task_id,
    user_id,
    task_version,
    trigger_at: trigger,
    status: trigger === null ? 'cancelled' : statusOf(event),
    title: task.title,
    due_date: task.due_date,
    offset_triggered: task.snoozed_until === null ? task.reminder_offset : null,
    recipients,
    correlation_id,
    traceparent,
    created_at: readInstant(event.timestamp, 'timestamp'),
  };
}

/** The same for a task at all times: a table built anew publishes no reminder under a second id. */
export const reminderId = (taskId: string, slot = 0): string => Bun.randomUUIDv5(`reminder/${slot}`, taskId);

/** chat-api decides, and the task says what (CONTRACT 8); of a deleted one that is its last state. */
function statusOf({ event_type: type, task }: ChangeEvent): Reminder['status'] {
  if (type === 'task.deleted') return 'cancelled';
  if (task.reminder_status === 'sent') return 'triggered'; // for this trigger time: our event has come back to us
  return task.reminder_status === 'pending' ? 'pending' : 'cancelled';
}
