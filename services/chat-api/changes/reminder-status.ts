import { dueAt, triggerAt } from '#shared/due';
import { isSeries, type TaskRow } from './task-row.ts';

/**
 * The row with what it says of its reminder after a change, and until when it is snoozed (CONTRACT 8). `before` is null for
 * a new task. Changing its time schedules it again, also when it was sent; acknowledged, it stays so.
 */
export function withReminder(before: TaskRow | null, after: TaskRow, now: Date): TaskRow {
  const isMoved = before !== null && ownTime(before) !== ownTime(after);
  const task = { ...after, snoozed_until: isMoved || isSeries(after) ? null : after.snoozed_until };
  return { ...task, reminder_status: statusOf(before, task, now) };
}

function statusOf(before: TaskRow | null, after: TaskRow, now: Date): string | null {
  const trigger = triggerAt(after);
  const due = dueAt(after);
  if (isSeries(after) || trigger === null || due === null) return null;
  const status = before?.reminder_status ?? null;
  if (status === 'acknowledged') return status;
  if (after.completed) return status === 'sent' ? status : 'cancelled';
  const isSame = before !== null && before.completed === after.completed && time(triggerAt(before)) === time(trigger);
  if (isSame && status !== null) return status;
  if (status === 'sent' && before !== null && time(triggerAt(before)) === time(trigger)) return status;
  return trigger > now || due > now ? 'pending' : 'cancelled';
}

/** When the task would remind if nobody had snoozed it. */
const ownTime = (task: TaskRow): number | null => time(triggerAt({ ...task, snoozed_until: null }));
const time = (at: Date | null): number | null => at?.getTime() ?? null;
