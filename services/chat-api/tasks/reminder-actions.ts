import type { Sql } from '#shared/db';
import { parseOffset, triggerAt } from '#shared/due';
import { FieldError } from '#shared/field';
import { ApiError, refusing } from '#shared/errors';
import { changed, type Cause } from '../changes/change.ts';
import { isSeries, lockTask, type TaskRow } from '../changes/task-row.ts';
import { updateTasks } from '../changes/write.ts';
import { requireMatch } from './if-match.ts';

type Request = { id: string; userId: string; ifMatch: string | null; cause: Cause };

/** The reminder was seen and comes no more. Again: no change. @throws {ApiError} 403, 404, 412, 409 when none was sent */
export async function acknowledgeReminder(tx: Sql, { id, userId, ifMatch, cause }: Request): Promise<TaskRow> {
  const before = await lockTask(tx, id, userId);
  requireMatch(before, ifMatch);
  if (before.reminder_status === 'acknowledged') return before;
  if (before.reminder_status !== 'sent')
    throw new ApiError(409, 'REMINDER_NOT_SENT', 'This task has no reminder that was sent and waits for you.');
  return write(tx, before, { ...before, reminder_status: 'acknowledged' }, cause);
}

/**
 * The reminder comes (again) after a while, counted from now, in place of any time it had.
 * @throws {ApiError} 400 TASK_UPDATE_ERROR naming `for`; 403, 404, 412; 409 when the task has no reminder to come
 */
export async function snoozeReminder(
  tx: Sql,
  { id, userId, ifMatch, cause, pause }: Request & { pause: unknown },
): Promise<TaskRow> {
  const before = await lockTask(tx, id, userId);
  requireMatch(before, ifMatch);
  const snoozedUntil = refusing('TASK_UPDATE_ERROR', () => after(cause.now, pause, before.timezone ?? 'UTC'));
  if (isSeries(before) || before.completed || triggerAt(before) === null || before.reminder_status === 'acknowledged')
    throw new ApiError(
      409,
      'REMINDER_NOT_SNOOZABLE',
      'This task has no reminder to come: none set, done, or acknowledged.',
    );
  return write(tx, before, { ...before, snoozed_until: snoozedUntil, reminder_status: 'pending' }, cause);
}

/** Days are days of the calendar in the task's zone, as in `reminder_offset`. */
function after(now: Date, pause: unknown, timezone: string): Date {
  if (typeof pause !== 'string') throw new FieldError('for', 'expected a duration, such as "10 minutes"');
  const duration = durationOf(pause);
  if (duration.blank) throw new FieldError('for', 'must be longer than zero');
  const start = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(timezone);
  return new Date(start.add(duration).epochMilliseconds);
}

function durationOf(pause: string): Temporal.Duration {
  try {
    return Temporal.Duration.from(parseOffset(pause));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new FieldError('for', error.message.replace(/^reminder_offset: /, ''));
  }
}

async function write(tx: Sql, before: TaskRow, after: TaskRow, cause: Cause): Promise<TaskRow> {
  const change = changed(before, after, cause);
  if (!change) return before;
  await updateTasks(tx, [change]);
  return change.row;
}
