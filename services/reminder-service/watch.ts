import { createBell } from '#shared/bell';
import type { Sidecar } from '#shared/dapr';
import type { Pool } from '#shared/db';
import type { Received } from '#shared/decide';
import type { Log } from '#shared/log';
import type { Job } from '#shared/loop';
import type { Metrics } from '#shared/metrics';
import { EVENTS_KEPT_DAYS } from '#shared/retention';
import { createJumpMeter, sleepMs } from './clock.ts';
import { type ChangeEvent, handleTaskEvents } from './consumer.ts';
import { createFiring } from './fire.ts';
import { createHeap } from './heap.ts';
import { pendingUntil, purgeClosed } from './schedule.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How often the table is asked for what another replica put there, and how far ahead: so each fires on the dot. */
const LOOK_EVERY_MS = SECOND;
const LOOK_AHEAD_MS = 2 * SECOND;
const LOOK_LIMIT = 1000;
/**
 * What lies further ahead, or behind so many, stays in the table until a look or the next reconciliation: the number of all
 * reminders is no matter of memory (a million of one day took 8 s and 415 MiB at each start, measured).
 */
const HELD_AHEAD_MS = DAY;
const HELD_AT_FIRST = 10_000;
const RECONCILE_EVERY_MS = 5 * MINUTE;
const PUBLISH_AGAIN_EVERY_MS = 5 * SECOND;
const PURGE_EVERY_MS = HOUR;
/** Twice the retention of the topics: no event can come that old (CONTRACT 6). */
const CLOSED_KEPT_MS = 2 * EVENTS_KEPT_DAYS * DAY;
/** A wall clock that moves by more against the monotonic one was set, or the machine slept. */
const JUMP_MS = SECOND;

export type Watch = ReturnType<typeof createWatch>;

/**
 * The reminders of one replica: the heap, what fires it and what keeps it true to the table. Any number of replicas may
 * watch one table. `now` and `monotonic` in ms.
 */
export function createWatch({
  sql,
  sidecar,
  log,
  metrics,
  now = Date.now,
  monotonic = () => performance.now(),
}: {
  sql: Pool;
  sidecar: Pick<Sidecar, 'publish'>;
  log: Log;
  metrics: Metrics;
  now?: () => number;
  monotonic?: () => number;
}) {
  const heap = createHeap();
  const firing = createFiring({ sql, sidecar, log, metrics, now });
  const alarm = createBell();
  const jumpedMs = createJumpMeter(now, monotonic);
  metrics.gauge('taskflow_reminders_pending', 'Reminders of the next 24 h that this replica holds', [], (gauge) =>
    gauge.set(heap.size()),
  );

  /** Fires everything that is due. The heap lets go of it only afterwards, so that a failure is tried again. */
  async function fire(stopping?: AbortSignal): Promise<void> {
    const at = now();
    if ((heap.nextAt() ?? Infinity) > at) return;
    while (!stopping?.aborted && (await firing.fireDue()));
    heap.takeDue(at);
  }

  /** Takes in what is due within seconds, whichever replica consumed its event. */
  async function look(): Promise<void> {
    const ms = jumpedMs();
    if (Math.abs(ms) > JUMP_MS) {
      log.warn('the clock has jumped', { ms: Math.round(ms) });
      await reconcile();
    }
    for (const entry of await pendingUntil(sql, new Date(now() + LOOK_AHEAD_MS), LOOK_LIMIT)) heap.put(entry);
    alarm.ring();
  }

  /** Makes the heap what the table says is next; at the start that fills it. What comes meanwhile is seen by the next look. */
  async function reconcile(): Promise<void> {
    heap.replace(await pendingUntil(sql, new Date(now() + HELD_AHEAD_MS), HELD_AT_FIRST));
    alarm.ring();
  }

  async function purge(): Promise<void> {
    const rows = await purgeClosed(sql, new Date(now() - CLOSED_KEPT_MS));
    if (rows > 0) log.info('closed reminders purged', { rows });
  }

  const jobs: Job[] = [
    { name: 'reconcile', everyMs: RECONCILE_EVERY_MS, runOnce: reconcile },
    { name: 'look', everyMs: LOOK_EVERY_MS, runOnce: look },
    { name: 'publish again', everyMs: PUBLISH_AGAIN_EVERY_MS, runOnce: firing.publishLeftBehind },
    { name: 'purge', everyMs: PURGE_EVERY_MS, runOnce: purge },
    { name: 'fire', everyMs: () => sleepMs(heap.nextAt(), now()), runOnce: fire, bell: alarm },
  ];

  return {
    /** Handles one delivery; its rows are committed when it resolves. */
    async handle(batch: Received<ChangeEvent>[]): Promise<void> {
      await handleTaskEvents({ sql, heap, now, horizonMs: HELD_AHEAD_MS }, batch);
      alarm.ring();
    },
    fire,
    look,
    reconcile,
    purge,
    publishLeftBehind: firing.publishLeftBehind,
    jobs,
  };
}
