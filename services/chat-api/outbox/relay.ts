import { createBell } from '#shared/bell';
import type { Sidecar } from '#shared/dapr';
import { connect } from '#shared/db';
import type { Log } from '#shared/log';
import type { Job } from '#shared/loop';
import type { Metrics } from '#shared/metrics';
import type { PublishError } from '#shared/publish';
import { observeOutbox } from './outbox-metrics.ts';
import { createPace, gatherMs } from './pace.ts';
import { claimRows, markSent, type OutboxRow, parkRow, releaseRows } from './rows.ts';

/** Claimed and published together. */
const ROWS = 100;
/** Claims under way at once: one that waits for a slow broker holds up its own rows only. */
const IN_FLIGHT = 3;
/** The truth. Wakes inside the process are only a hint: other replicas' rows and expired leases are found by this. */
const POLL_MS = 1000;

/**
 * Sends the events of the outbox to the sidecar in bulk, in order for each task, also beside other relays on one database. An
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
  let inFlight = 0;
  let results: Result[] = [];
  /** By the clock of `performance`, ms. */
  let nextTurnAt = 0;

  /** One turn: writes down what came back, claims the next rows if there is room for them and begins to publish them. */
  async function turn(stopping?: AbortSignal): Promise<number> {
    const earlyMs = nextTurnAt - performance.now();
    if (earlyMs > 0) await Bun.sleep(earlyMs);
    await settle();
    const limit = stopping?.aborted || inFlight === IN_FLIGHT ? 0 : pace.allowance(ROWS, inFlight);
    const rows = limit > 0 ? await claimRows(sql, limit) : [];
    if (rows.length === 0) return 0;
    nextTurnAt = performance.now() + gatherMs(rows.length, limit);
    void send(rows);
    return rows.length;
  }

  async function send(rows: OutboxRow[]): Promise<void> {
    inFlight += 1;
    const errors = await sidecar.publish(rows);
    inFlight -= 1;
    results.push(...outcomesOf(rows, errors));
    bell.ring();
  }

  /** Where one of them went the way is free, whatever became of the others. */
  function outcomesOf(rows: OutboxRow[], errors: (PublishError | null)[]): Result[] {
    const unknown = errors.find((error) => error !== null && !error.refused);
    if (errors.includes(null)) pace.succeeded();
    else if (unknown) pace.failed(unknown.message);
    const delayMs = pace.delayMs();
    return rows.map((row, i) => {
      const error = errors[i] ?? null;
      if (error?.refused) return { row, parked: error.message };
      if (error) return { row, delayMs };
      observed.published(row);
      return { row, isSent: true };
    });
  }

  /** Results stay in hand until the database has them: what is not written down here would be sent again. */
  async function settle(): Promise<void> {
    const settled = new Set(results); // more may come back while these are written down
    if (settled.size === 0) return;
    await markSent(
      sql,
      [...settled].filter((result) => 'isSent' in result).map(({ row }) => row.seq),
    );
    const failed = [...settled].filter((result) => 'delayMs' in result);
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
    results = results.filter((result) => !settled.has(result));
  }

  /** Sends what may be sent until there is no more, or only what is under way once it stops. @returns how many rows were claimed */
  async function runOnce(stopping?: AbortSignal): Promise<number> {
    let total = 0;
    for (let claimed = -1; claimed !== 0 || inFlight > 0 || results.length > 0;) {
      claimed = await turn(stopping);
      total += claimed;
      if (inFlight > 0) await bell.next(pauseMs());
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
