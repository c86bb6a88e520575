import { type Static, Type as t } from '@sinclair/typebox';
import type { Pool, Sql } from '#shared/db';
import type { Received } from '#shared/decide';
import { type Reminding, triggerAt } from '#shared/due';
import { anyEventSchema } from '#shared/events';
import type { Log } from '#shared/log';
import type { Metrics } from '#shared/metrics';
import { readInstant } from '#shared/time';

/** What is read of `task.reminder.triggered`; nothing else of it is checked (CONTRACT 11). */
export const triggeredSchema = t.Object({
  ...anyEventSchema.properties,
  trigger_at: t.String({ format: 'date-time' }),
});

/**
 * Counts what the reminder service should have fired: whoever watches only that service sees nothing while it is gone. Two
 * minutes after its time a reminder has long been sent and its event consumed. Those of disabled people wait for them.
 */
export function observeOverdue(sql: Sql, metrics: Metrics): void {
  metrics.counted('taskflow_reminders_overdue', 'Reminders still pending two minutes after their time', async () => {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int from tasks join users on users.id = user_id
      where reminder_status = 'pending' and disabled_at is null
        and latest_reminder_at(snoozed_until, due_date, due_all_day, reminder_offset) < now() - interval '2 minutes'`;
    return row?.count ?? 0;
  });
}

/**
 * Consumes `task.reminder.triggered`: the task's reminder counts as sent if it is still pending for the time that fired,
 * or was cancelled only by completing the task before this came: opened again, it will not be reminded of a second time.
 * No new version, no event and the same ETag, since nobody changed the task (CONTRACT 8). The same event twice changes
 * nothing; a task that is gone or was moved meanwhile is left alone.
 */
export function createReminderConsumer({ sql, log }: { sql: Pool; log: Log }) {
  async function note(event: Static<typeof triggeredSchema>): Promise<void> {
    const firedFor = readInstant(event.trigger_at, 'trigger_at');
    const isSent = await sql.begin(async (tx) => {
      const task = await lockExpecting(tx, event.task_id);
      if (!task || triggerAt(task)?.getTime() !== firedFor.getTime()) return false;
      await tx`update tasks set reminder_status = 'sent' where id = ${event.task_id}`;
      return true;
    });
    if (!isSent) log.info('reminder left as it is', { event_id: event.event_id, task_id: event.task_id });
  }

  return async (batch: Received<Static<typeof triggeredSchema>>[]): Promise<void> => {
    for (const { event } of batch) await note(event);
  };
}

async function lockExpecting(tx: Sql, taskId: string): Promise<Reminding | undefined> {
  const [task] = await tx<Reminding[]>`
    select due_date, due_all_day, timezone, reminder_offset, snoozed_until from tasks
    where id = ${taskId} and (reminder_status = 'pending' or completed and reminder_status = 'cancelled') for update`;
  return task;
}
