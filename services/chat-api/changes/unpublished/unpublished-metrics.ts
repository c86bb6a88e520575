import type { Sql } from '#shared/db';
import type { Metrics } from '#shared/metrics';
import { waiting } from './waiting.ts';

/** The metrics of changes made without events, until the last of them has become one. */
export function observeUnpublished(sql: Sql, metrics: Metrics): void {
  const counted = (name: `taskflow_${string}`, help: string, field: keyof Awaited<ReturnType<typeof waiting>>) =>
    metrics.counted(name, help, async () => (await waiting(sql))[field]);
  counted(
    'taskflow_unpublished_changes_waiting',
    'Changes made without events that wait, the parked ones too',
    'waiting',
  );
  counted(
    'taskflow_unpublished_changes_oldest_seconds',
    'Age of the oldest that waits and is not parked',
    'oldest_seconds',
  );
  counted('taskflow_unpublished_changes_parked', 'Changes set aside with a reason: see ops changes list', 'parked');
}
