import { type Sql, within } from '#shared/db';
import type { Received } from '#shared/decide';
import type { AnyEvent } from '#shared/events';
import { STATEMENT_MS } from '#shared/ladder';
import type { Metrics } from '#shared/metrics';
import { readInstant } from '#shared/time';
import { addMonth, isMissingMonth } from './partitions.ts';
import { payloadMac } from './payload-mac.ts';

interface Row {
  event_id: string;
  event_type: string;
  task_id: string;
  user_id: string;
  timestamp: string;
  payload: AnyEvent;
  correlation_id: string;
  partition_key: string;
  payload_mac: string;
}

/**
 * Stores each event as one row of the trail: a batch by one insert, 17,000 rows a second in batches of 100 and 480 one by one
 * (measured). `record` resolves after its commit; an event stored before is a success.
 * @throws what the insert threw, transient or not; then none of the batch is stored
 */
export function createRecorder({ sql, sealKey, metrics }: { sql: Sql; sealKey: string; metrics: Metrics }) {
  const stored = metrics.counter('taskflow_audit_stored_total', 'Events stored');
  const duplicates = metrics.counter('taskflow_audit_duplicates_total', 'Events delivered that were stored already');
  const seconds = metrics.histogram('taskflow_audit_insert_seconds', 'Time of one insert, its commit included');

  async function store(rows: Row[]): Promise<void> {
    const stopTimer = seconds.startTimer();
    const count = await insert(sql, rows).catch(async (error: unknown) => {
      if (!isMissingMonth(error)) throw error;
      const months = new Set(rows.map(({ partition_key: day }) => `${day.slice(0, 8)}01`));
      for (const month of months) await addMonth(sql, month);
      return insert(sql, rows);
    });
    stopTimer();
    stored.inc(count);
    duplicates.inc(rows.length - count);
  }

  return {
    record: async (batch: Received[]): Promise<void> =>
      within(STATEMENT_MS, store(batch.map(({ event }) => rowOf(event, sealKey)))),
  };
}

/** The columns of an event. The partition is that of the UTC date of its own `timestamp`. */
function rowOf(event: AnyEvent, sealKey: string): Row {
  const timestamp = readInstant(event.timestamp, 'timestamp').toISOString();
  return {
    event_id: event.event_id,
    event_type: event.event_type,
    task_id: event.task_id,
    user_id: event.user_id,
    timestamp,
    payload: event,
    correlation_id: event.correlation_id,
    partition_key: timestamp.slice(0, 10),
    payload_mac: payloadMac(event, sealKey).toString('hex'),
  };
}

/** Returns how many were new. In order of their ids, so that two replicas with the same events cannot deadlock. */
async function insert(sql: Sql, rows: Row[]): Promise<number> {
  const { count } = await sql`
    insert into task_events
      (event_id, event_type, task_id, user_id, timestamp, payload, correlation_id, partition_key, payload_mac)
    select event_id, event_type, task_id, user_id, timestamp, payload, correlation_id, partition_key, decode(payload_mac, 'hex')
    from jsonb_to_recordset(${sql.json(rows as never)}) as row (
      event_id uuid, event_type text, task_id uuid, user_id uuid, timestamp timestamptz, payload jsonb,
      correlation_id uuid, partition_key date, payload_mac text)
    order by event_id
    on conflict (event_id, partition_key) do nothing`;
  return count;
}
