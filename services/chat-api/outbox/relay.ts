import { PublishError, type Sidecar } from '#shared/dapr';
import { connect, within } from '#shared/db';
import type { Log } from '#shared/log';
import type { Metrics } from '#shared/metrics';
import { createBell } from './bell.ts';
import { observeOutbox } from './outbox-metrics.ts';
import { createPace } from './pace.ts';
import { claimRows, markSent, type OutboxRow, parkRow, releaseRows } from './rows.ts';

export type Relay = ReturnType<typeof createRelay>;

/**
 * Publishes under way at once, each of one event. On Kafka 3,200 events a second leave like this, 8,000 would in bulk (`bench
 * outbox --real`): not worth a second way of failing, as consumers take some hundreds.
 */
const IN_FLIGHT = 32;
/** The truth. Wakes inside the process are only a hint: other replicas' rows and expired leases are found by this. */
const POLL_MS = 1000;
const STOP_MS = 5000;

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
  const inFlight = new Set<number>();
  let results: Result[] = [];
  let isStopping = false;
  let running: Promise<void> | undefined;

  /** One turn: writes down what came back, claims as many rows as there is room for and begins to publish them. */
  async function turn(): Promise<number> {
    await settle();
    const limit = isStopping ? 0 : pace.allowance(IN_FLIGHT - inFlight.size, inFlight.size);
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

  async function loop(): Promise<void> {
    let isDatabaseDown = false;
    while (!isStopping) {
      try {
        await turn();
        if (isDatabaseDown) log.info('outbox recovered: the database answers');
        isDatabaseDown = false;
        await bell.next(pace.remainingMs() || POLL_MS);
      } catch (error) {
        if (!isDatabaseDown) log.warn('outbox degraded: the database does not answer', { error });
        isDatabaseDown = true;
        await bell.next(POLL_MS);
      }
    }
  }

  /** Waits for what is under way and writes it down. */
  async function finish(): Promise<void> {
    while (inFlight.size > 0) await bell.next(POLL_MS);
    await settle();
  }

  return {
    start(): void {
      running ??= loop();
    },

    /** Ends the loop, gives what is under way up to 5 s, and closes the connections. A claim left behind expires. */
    async stop(): Promise<void> {
      isStopping = true;
      bell.ring();
      await running;
      await within(STOP_MS, finish()).catch((error: unknown) =>
        log.warn('outbox stopped with events under way', { error }),
      );
      await sql.end({ timeout: 1 });
    },

    /** There is something to send. */
    wake: () => bell.ring(),

    /** Sends what may be sent now, until there is no more. @returns how many rows were claimed */
    async runOnce(): Promise<number> {
      let total = 0;
      for (let claimed = -1; claimed !== 0 || inFlight.size > 0 || results.length > 0;) {
        claimed = await turn();
        total += claimed;
        if (inFlight.size > 0) await bell.next(POLL_MS);
      }
      return total;
    },
  };
}

/** What became of a row that was under way. */
type Result = { row: OutboxRow } & ({ isSent: true } | { parked: string } | { delayMs: number });
