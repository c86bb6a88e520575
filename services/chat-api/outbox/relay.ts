import { createBell } from '#shared/bell';
import { PublishError, type Sidecar } from '#shared/dapr';
import { connect } from '#shared/db';
import type { Log } from '#shared/log';
import type { Job } from '#shared/loop';
import type { Metrics } from '#shared/metrics';
import { observeOutbox } from './outbox-metrics.ts';
import { createPace } from './pace.ts';
import { claimRows, markSent, type OutboxRow, parkRow, releaseRows } from './rows.ts';

/**
 * Publishes under way at once, each of one event. On Kafka 3,200 events a second leave like this, 8,000 would in bulk (`bench
 * outbox --real`): not worth a second way of failing, as consumers take some hundreds.
 */
const IN_FLIGHT = 32;
/** The truth. Wakes inside the process are only a hint: other replicas' rows and expired leases are found by this. */
const POLL_MS = 1000;

/**
 * Sends the events of the outbox to the sidecar, in order for each task, also beside other relays on one database. An
 * event leaves at least once and always with the same id. `wake` after a commit saves the wait for the next poll.
 */
export function createRelay({
  url,
  sidecar,
  log,
  metrics,
}: {
  url: string;
  sidecar: Pick<Sidecar, 'publish'>;
  log: Log;
  metrics: Metrics;
}) {
  // Own connections: claims never wait behind requests. Marks need not reach the disk, a lost one repeats an event id.
  const sql = connect(url, { name: 'chat-api relay', max: 2, publishes: true, syncCommit: false, byIndex: true });
  const observed = observeOutbox(sql, metrics);
  const bell = createBell();
  const pace = createPace(log);
  const pauseMs = () => pace.remainingMs() || POLL_MS;
  const inFlight = new Set<number>();
  let results: Result[] = [];

  /** One turn: writes down what came back, claims as many rows as there is room for and begins to publish them. */
  async function turn(stopping?: AbortSignal): Promise<number> {
    await settle();
    const limit = stopping?.aborted ? 0 : pace.allowance(IN_FLIGHT - inFlight.size, inFlight.size);
    const rows = limit > 0 ? await claimRows(sql, limit) : [];
    for (const row of rows) void send(row);
    return rows.length;
  }

  async function send(row: OutboxRow): Promise<void> {
    inFlight.add(row.seq);
    const result = await publish(row);
    inFlight.delete(row.seq);
    results.push(result);
    bell.ring();
  }

  async function publish(row: OutboxRow): Promise<Result> {
    try {
      await sidecar.publish(row.event, row.traceparent);
      pace.succeeded();
      observed.published(row);
      return { row, isSent: true };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof PublishError && error.refused) return { row, parked: reason };
      pace.failed(reason);
      return { row, delayMs: pace.delayMs() };
    }
  }

  /** Results stay in hand until the database has them: what is not written down here would be sent again. */
  async function settle(): Promise<void> {
    const settled = [...results]; // more may come back while these are written down
    if (settled.length === 0) return;
    await markSent(
      sql,
      settled.filter((result) => 'isSent' in result).map(({ row }) => row.seq),
    );
    const failed = settled.filter((result) => 'delayMs' in result);
    await releaseRows(
      sql,
      failed.map(({ row }) => row.seq),
      Math.max(0, ...failed.map(({ delayMs }) => delayMs)),
    );
    for (const result of settled) {
      if (!('parked' in result)) continue;
      await parkRow(sql, result.row.seq, result.parked);
      const { seq, event_id, event_type, task_id } = result.row;
      log.error('outbox row parked', { seq, event_id, event_type, task_id, reason: result.parked });
    }
    results = results.filter((result) => !settled.includes(result));
  }

  /** Sends what may be sent until there is no more, or only what is under way once it stops. @returns how many rows were claimed */
  async function runOnce(stopping?: AbortSignal): Promise<number> {
    let total = 0;
    for (let claimed = -1; claimed !== 0 || inFlight.size > 0 || results.length > 0;) {
      claimed = await turn(stopping);
      total += claimed;
      if (inFlight.size > 0) await bell.next(pauseMs());
    }
    return total;
  }

  return {
    /** A claim that is left behind when it stops expires. */
    job: { name: 'outbox', everyMs: pauseMs, runOnce, bell } satisfies Job,
    runOnce,
    /** There is something to send. */
    wake: bell.ring,
    /** Closes its connections. */
    close: () => sql.end({ timeout: 1 }),
  };
}

/** What became of a row that was under way. */
type Result = { row: OutboxRow } & ({ isSent: true } | { parked: string } | { delayMs: number });
