import type { Pool } from '#shared/db';
import { dueAt, triggerAt } from '#shared/due';
import type { TaskEvent } from '#shared/events';
import { readInstant } from '#shared/time';
import type { Heap } from './heap.ts';
import { type Reminder, writeReminder } from './schedule.ts';

/** The four events that change a task. */
export type ChangeEvent = Extract<TaskEvent, { task: unknown }>;

/** A change of one of these sets the reminder anew, and whether it has passed is judged at that moment. */
const TIMING = [
  'due_date',
  'due_all_day',
  'timezone',
  'reminder_offset',
  'snoozed_until',
  'completed',
  'recurrence_pattern',
];

/**
 * Writes what a task event means for the task's reminder, before the delivery is acknowledged, so a crash loses nothing.
 * Idempotent, and indifferent to the order of a task's events (CONTRACT 2.3). The heap takes what is due within `horizonMs`.
 */
export async function handleTaskEvent(
  { sql, heap, horizonMs, now }: { sql: Pool; heap: Heap; horizonMs: number; now: () => number },
  event: TaskEvent,
  traceparent: string | null,
): Promise<void> {
  if (event.event_type === 'task.reminder.triggered') return; // our own, not subscribed to
  const written = await writeReminder(sql, reminderOf(event, traceparent), new Date(now()));
  if (!written) return;
  const { task_id: taskId, task_version: version } = event;
  heap.cancel(taskId, version);
  const at = written.status === 'pending' ? (written.trigger_at?.getTime() ?? Infinity) : Infinity;
  if (at <= now() + horizonMs) heap.put({ taskId, version, at });
}

/**
 * The reminder of a task as one of its events leaves it (CONTRACT 8).
 * @throws {FieldError | RangeError} for a due date, zone or offset that no producer of ours writes
 */
export function reminderOf(event: ChangeEvent, traceparent: string | null): Reminder {
  const { task, task_id, user_id, task_version, recipients, correlation_id } = event;
  const isSeries = task.recurrence_pattern !== null; // its instances remind
  const trigger = isSeries || task.due_date === null ? null : triggerAt(task);
  return {
    reminder_id: reminderId(task_id),
    task_id,
    user_id,
    task_version,
    trigger_at: trigger,
    status: trigger === null ? 'cancelled' : statusOf(event, trigger),
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

function statusOf(event: ChangeEvent, trigger: Date): Reminder['status'] {
  const { task } = event;
  if (event.event_type === 'task.deleted' || task.completed) return 'cancelled';
  if (task.reminder_status === 'acknowledged') return 'cancelled';
  // `sent` is of the present trigger time: chat-api has read the event that we published.
  if (task.reminder_status === 'sent') return 'triggered';
  const at = readInstant(event.timestamp, 'timestamp').getTime();
  const due = dueAt(task);
  if (trigger.getTime() > at || (due !== null && due.getTime() > at)) return 'pending';
  return isOwed(event) ? 'pending' : 'cancelled';
}

/** Due before this change, which was about something else, and not yet reminded of: it is we who are late. */
const isOwed = (event: ChangeEvent): boolean =>
  event.event_type === 'task.updated' &&
  event.task.reminder_status === 'pending' &&
  !TIMING.some((field) => field in event.changes);
