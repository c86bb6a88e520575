import type { Sql } from '#shared/db';
import type { Metrics } from '#shared/metrics';
import { backlog, type OutboxRow } from './rows.ts';

type Backlog = Awaited<ReturnType<typeof backlog>>;

/** The metrics of the outbox. What waits is counted at each scrape, in the table, so that every replica says the same. */
export function observeOutbox(sql: Sql, metrics: Metrics) {
  const sent = metrics.counter('taskflow_outbox_published_total', 'Events that the sidecar has accepted', ['type']);
  const seconds = metrics.histogram(
    'taskflow_outbox_commit_to_publish_seconds',
    'From the change to the accepted publish',
  );

  const waiting = (name: `taskflow_${string}`, help: string, field: keyof Backlog) =>
    metrics.counted(name, help, async () => (await backlog(sql))[field]);
  waiting('taskflow_outbox_unsent', 'Events that wait, the parked ones too', 'unsent');
  waiting('taskflow_outbox_oldest_seconds', 'Age of the oldest event that waits and is not parked', 'oldest_seconds');
  waiting('taskflow_outbox_parked', 'Events set aside with a reason: see ops outbox list', 'parked');

  return {
    published({ event_type, created_at }: OutboxRow): void {
      sent.labels(event_type).inc();
      seconds.observe(Math.max(0, Date.now() - created_at.getTime()) / 1000);
    },
  };
}
