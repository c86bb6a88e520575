import type { Sql } from '#shared/db';
import type { Sidecar } from '#shared/dapr';
import type { ReminderTriggered } from '#shared/events';
import type { Log } from '#shared/log';
import type { Metrics } from '#shared/metrics';
import type { PublishError } from '#shared/publish';
import { delaySeconds, lateness } from './lateness.ts';
import { claimDue, countUnpublished, type Fired, markPublished, unpublished } from './schedule.ts';

/** Claimed and published together: few enough that a crash repeats little, enough that 10,000 at once take seconds. */
const BATCH = 100;
/** A publish has failed or ended by then (its deadline is 5 s, twice where a bulk is refused): who claimed this has crashed or could not publish it. */
const LEFT_BEHIND_MS = 10_000;
/** From on time to a day late. */
const LATENESS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86_400];

/**
 * Fires reminders: a claim in the table decides who (exactly once), then the event is published until the sidecar takes
 * it (at least once, always under the same id). What is claimed and not published is published again later.
 */
export function createFiring({
  sql,
  sidecar,
  log,
  metrics,
  now,
}: {
  sql: Sql;
  sidecar: Pick<Sidecar, 'publish'>;
  log: Log;
  metrics: Metrics;
  now: () => number;
}) {
  const fired = metrics.counter('taskflow_reminders_fired_total', 'Reminders published');
  const late = metrics.histogram(
    'taskflow_reminder_lateness_seconds',
    'From the time of a reminder, or its later setting, to its publication',
    [],
    LATENESS_SECONDS,
  );
  const waiting = metrics.gauge('taskflow_reminders_unpublished', 'Reminders that fired and are not published yet');
  const inFlight = new Set<string>();
  let isDown = false;

  async function publishAll(rows: Fired[]): Promise<void> {
    const own = rows.filter(({ reminder_id }) => !inFlight.has(reminder_id));
    for (const { reminder_id } of own) inFlight.add(reminder_id);
    try {
      const reminders = own.map((row) => ({ row, event: triggeredEvent(row, now()), traceparent: row.traceparent }));
      const errors = await sidecar.publish(reminders);
      if (errors.length > 0) tellState(errors);
      const published = reminders.filter(({ row, event }, i) => isPublished(row, event, errors[i] ?? null));
      if (published.length === 0) return;
      await markPublished(
        sql,
        published.map(({ row }) => row),
        new Date(now()),
      );
    } finally {
      for (const { reminder_id } of own) inFlight.delete(reminder_id);
    }
  }

  /** Once for all that went together: where some were taken, publishing is not down. */
  function tellState(errors: (PublishError | null)[]): void {
    const failure = errors.find((error) => error !== null && !error.refused) ?? null; // a refusal is an answer
    const wasDown = isDown;
    isDown = failure !== null && !errors.includes(null);
    if (failure && !wasDown)
      log.warn(isDown ? 'publishing is down, reminders wait' : 'some reminders wait', { error: failure });
    if (wasDown && !isDown) log.info('publishing works again');
  }

  /** Tells of a reminder what came of it. */
  function isPublished(row: Fired, event: ReminderTriggered, error: PublishError | null): boolean {
    const { event_id, task_id, user_id, correlation_id, late_by_ms, late_reason } = event;
    const facts = { event_id, task_id, user_id, correlation_id };
    if (error !== null) {
      if (error.refused) log.error('reminder refused', { ...facts, error });
      return false;
    }
    fired.inc();
    late.observe(delaySeconds(row, now()));
    log.info('reminder fired', { ...facts, ...(late_by_ms !== undefined && { late_by_ms, late_reason }) });
    return true;
  }

  return {
    /** Fires the oldest of what is due now, and only that: never early. True when there may be more. */
    async fireDue(): Promise<boolean> {
      const rows = await claimDue(sql, new Date(now()), BATCH);
      await publishAll(rows);
      return rows.length === BATCH;
    },

    /** Publishes again what was claimed more than 10 s ago, by whichever replica, and is not published. */
    async publishLeftBehind(): Promise<void> {
      const claimedBefore = new Date(now() - LEFT_BEHIND_MS);
      let after: Fired | null = null;
      do {
        const rows: Fired[] = await unpublished(sql, claimedBefore, after, BATCH);
        await publishAll(rows);
        after = rows.length === BATCH ? (rows.at(-1) ?? null) : null;
      } while (after && !isDown);
      waiting.set(await countUnpublished(sql));
    },
  };
}

/**
 * The event of a reminder that fired (CONTRACT 11). Its id is a UUIDv5 of reminder and trigger time and its timestamp the
 * moment of the claim, so that a repetition is the same event to every consumer.
 */
function triggeredEvent(row: Fired, publishedAt: number): ReminderTriggered {
  return {
    event_type: 'task.reminder.triggered',
    event_id: Bun.randomUUIDv5(row.trigger_at.toISOString(), row.reminder_id),
    timestamp: row.claimed_at.toISOString(),
    actor: { type: 'service', id: 'reminder-service' },
    task_id: row.task_id,
    user_id: row.user_id,
    recipients: row.recipients,
    task_version: row.task_version,
    correlation_id: row.correlation_id,
    reminder_type: row.reminder_type,
    trigger_at: row.trigger_at.toISOString(),
    due_date: row.due_date,
    offset_triggered: row.offset_triggered,
    title: row.title,
    ...lateness(row, publishedAt),
  };
}
