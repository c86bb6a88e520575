import type { Sql } from '#shared/db';
import type { Job } from '#shared/loop';

const MONTHS_AHEAD = 3;
const EVERY_MS = 24 * 60 * 60_000;
/** Each try waits for its lock and holds up the inserts behind it, so not often. */
const RETRY_MS = 60_000;

/**
 * Keeps the partitions of this month and the three that follow: looks at the start and once a day. While that fails
 * the months that are there go on taking rows.
 */
export function createPartitions({ sql, now = Date.now }: { sql: Sql; now?: () => number }) {
  /** Idempotent; any number of replicas may run it at once. */
  async function runOnce(): Promise<void> {
    for (const day of monthsAhead(new Date(now()))) await addMonth(sql, day);
  }

  return { name: 'partitions', everyMs: EVERY_MS, retryMs: RETRY_MS, runOnce } satisfies Job;
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
