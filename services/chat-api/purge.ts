import type { Sql } from '#shared/db';
import type { Job } from '#shared/loop';
import { purgeSessions } from './auth/sessions.ts';
import { purgeSent } from './outbox/rows.ts';
import { purgeKeys } from './tasks/idempotency.ts';

const HOUR = 60 * 60_000;

/** Deletes hourly what has been kept long enough: sent outbox rows, idempotency keys, expired sessions; a portion a transaction. */
export function createPurge({ sql }: { sql: Sql }) {
  async function runOnce(stopping?: AbortSignal): Promise<void> {
    for (const purge of [purgeSent, purgeKeys, purgeSessions]) {
      while (!stopping?.aborted && (await purge(sql)) > 0);
    }
  }

  return { name: 'purge', everyMs: HOUR, runOnce } satisfies Job;
}
