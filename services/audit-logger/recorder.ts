import { isTransient, type Sql, within } from '#shared/db';
import type { TaskEvent } from '#shared/events';
import { STATEMENT_MS } from '#shared/ladder';
import type { Metrics } from '#shared/metrics';
import { readInstant } from '#shared/time';
import { addMonth, isMissingMonth } from './partitions.ts';
import { payloadMac } from './payload-mac.ts';

/** Rows of one insert. Measured: 17,000 rows a second in batches of 100, 480 one by one. */
const BATCH_ROWS = 100;

interface Row {
  event_id: string;
  event_type: string;
  task_id: string;
  user_id: string;
  timestamp: string;
  payload: TaskEvent;
  correlation_id: string;
  partition_key: string;
  payload_mac: string;
}

interface Waiting {
  row: Row;
  stored: PromiseWithResolvers<void>;
}

/**
 * Stores each event as one row of the trail. `record` resolves after its commit; an event stored before is a success.
 * Batches form by themselves: what is in hand is written when no insert is running. A row that Postgres refuses fails
 * alone. @throws what the insert threw, transient or not
 */
export function createRecorder({ sql, sealKey, metrics }: { sql: Sql; sealKey: string; metrics: Metrics }) {
  const stored = metrics.counter('taskflow_audit_stored_total', 'Events stored');
  const duplicates = metrics.counter('taskflow_audit_duplicates_total', 'Events delivered that were stored already');
  const seconds = metrics.histogram('taskflow_audit_insert_seconds', 'Time of one insert, its commit included');
  const batchRows = metrics.histogram(
    'taskflow_audit_batch_rows',
    'Rows of one insert',
    [],
    [1, 2, 5, 10, 20, 50, 100],
  );
  /** By event id: an event that is offered again while the database hangs waits once, not once more each time. */
  const waiting = new Map<string, Waiting>();
  let isWriting = false;

  async function record(event: TaskEvent): Promise<void> {
    const row = rowOf(event, sealKey);
    const entry = waiting.get(row.event_id) ?? { row, stored: Promise.withResolvers<void>() };
    waiting.set(row.event_id, entry);
    if (!isWriting) void writeAll();
    return entry.stored.promise;
  }

  async function writeAll(): Promise<void> {
    isWriting = true;
    while (waiting.size > 0) {
      const batch = [...waiting.values().take(BATCH_ROWS)];
      for (const { row } of batch) waiting.delete(row.event_id);
      // A month whose partition cannot be made at the moment holds up nobody else's.
      for (const rows of Map.groupBy(batch, ({ row }) => row.partition_key.slice(0, 7)).values()) await write(rows);
    }
    isWriting = false;
  }

  async function write(batch: Waiting[]): Promise<void> {
    try {
      await within(STATEMENT_MS, store(batch.map(({ row }) => row)));
      for (const entry of batch) entry.stored.resolve();
    } catch (error) {
      if (batch.length > 1 && !isTransient(error)) for (const entry of batch) await write([entry]);
      else for (const entry of batch) entry.stored.reject(error);
    }
  }

  async function store(rows: Row[]): Promise<void> {
    const stopTimer = seconds.startTimer();
    const count = await insert(sql, rows).catch(async (error: unknown) => {
      if (!isMissingMonth(error)) throw error;
      await addMonth(sql, rows[0]?.partition_key ?? '');
      return insert(sql, rows);
    });
    stopTimer();
    batchRows.observe(rows.length);
    stored.inc(count);
    duplicates.inc(rows.length - count);
  }

  return { record };
}

/** The columns of an event. The partition is that of the UTC date of its own `timestamp`. */
function rowOf(event: TaskEvent, sealKey: string): Row {
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
