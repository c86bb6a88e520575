import type { Log } from '#shared/log';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 2000;

const GATHER_MS_A_ROW = 3;
const MAX_GATHER_MS = 10;

/**
 * How long a relay waits after a claim, so that what comes meanwhile goes together: of one row claim and mark cost Postgres
 * 344 µs, of five 150 each and of 20 88 (measured), and what is published together is consumed together. A few rows a second
 * hardly wait, above 300 they gather. Longer than 10 ms costs more than it saves: at 500 a second 25 ms took as much of the
 * processor, and the line of the stream came after 52 to 117 ms in place of 42. After a claim as large as it may be (`limit`)
 * there is no wait.
 */
export const gatherMs = (claimed: number, limit: number): number =>
  claimed < limit ? Math.min(claimed * GATHER_MS_A_ROW, MAX_GATHER_MS) : 0;

/**
 * How fast a relay may go: freely while publishes succeed; after one that failed, a single row as a probe after 100 ms,
 * doubled up to 2 s. Each change of state is logged once. Times in ms of a monotonic clock.
 */
export function createPace(log: Log, now: () => number = () => performance.now()) {
  let delayMs = 0;
  let resumesAt = 0;

  return {
    /** A failure counts once for each pause: those that were under way together say the same thing. */
    failed(reason: string): void {
      if (now() < resumesAt) return;
      if (delayMs === 0) log.warn('outbox degraded: events wait', { reason });
      delayMs = Math.min(Math.max(delayMs * 2, FIRST_DELAY_MS), MAX_DELAY_MS);
      resumesAt = now() + delayMs;
    },
    succeeded(): void {
      if (delayMs > 0) log.info('outbox recovered: events flow again');
      delayMs = 0;
      resumesAt = 0;
    },
    /** How many of these rows may be claimed now. */
    allowance(room: number, inFlight: number): number {
      if (now() < resumesAt) return 0;
      return delayMs === 0 ? room : Math.max(0, 1 - inFlight);
    },
    /** Until the pause is over; 0 when there is none. */
    remainingMs: () => Math.max(0, resumesAt - now()),
    /** How long a row that failed waits, also while others go. */
    delayMs: () => Math.max(delayMs, FIRST_DELAY_MS),
  };
}
