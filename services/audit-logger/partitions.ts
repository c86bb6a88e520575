import type { Sql } from '#shared/db';
import type { Log } from '#shared/log';

const MONTHS_AHEAD = 3;
const EVERY_MS = 24 * 60 * 60_000;
/** Somebody else held the lock, or the database was away. */
const RETRY_MS = 60_000;

/**
 * Keeps the partitions of this month and the three that follow: looks at the start and once a day. That it fails, and
 * that it works again, is logged once; meanwhile the months that are there go on taking rows.
 */
export function createPartitions({ sql, log, now = Date.now }: { sql: Sql; log: Log; now?: () => number }) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isStopped = false;
  let isFailing = false;

  /** Idempotent; any number of replicas may run it at once. */
  async function runOnce(): Promise<void> {
    for (const day of monthsAhead(new Date(now()))) await addMonth(sql, day);
  }

  async function repeat(): Promise<void> {
    try {
      await runOnce();
      if (isFailing) log.info('partitions made again');
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn('partitions not made, tried again each minute', { error });
      isFailing = true;
    }
    if (!isStopped) timer = setTimeout(begin, isFailing ? RETRY_MS : EVERY_MS);
  }

  function begin(): void {
    running = repeat();
  }

  return {
    runOnce,
    start: begin,
    async stop(): Promise<void> {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** Makes the partition of the month that holds the day (`YYYY-MM-DD`), if missing. Waits at most 2 s for its lock. */
export async function addMonth(sql: Sql, day: string): Promise<void> {
  await sql`select audit_add_month(${day})`;
}

/** Postgres found no partition for a row: check_violation, and no constraint of a name behind it. */
export const isMissingMonth = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23514' && !('constraint_name' in error);

/** The first day of this month (UTC) and of the three that follow. */
export const monthsAhead = (now: Date): string[] =>
  Array.from({ length: MONTHS_AHEAD + 1 }, (_, ahead) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead)).toISOString().slice(0, 10),
  );
