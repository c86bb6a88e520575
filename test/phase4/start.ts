import { migrateDown } from '../../db/migrate.ts';
import { createDatabase } from '../support/database.ts';
import { startService } from '../support/service.ts';

export interface Target {
  name: string;
  start: () => Promise<{ url: string; stop: () => Promise<void> }>;
}

const { PHASE4_URL } = process.env;

/** What the contract is held against: the server at PHASE4_URL, or our own in the three states it must hold in. */
export const targets: Target[] = PHASE4_URL
  ? [{ name: PHASE4_URL, start: async () => ({ url: PHASE4_URL.replace(/\/+$/, ''), stop: async () => {} }) }]
  : [
      { name: 'the Phase V schema, events on', start: () => startOurs({ events: 'on' }) },
      { name: 'the Phase IV schema alone', start: () => startOurs({ events: 'off', phase: 4 }) },
      { name: 'the schema after the down-migration', start: () => startOurs({ events: 'off', isTakenDown: true }) },
    ];

/** chat-api as a process of its own, without a sidecar: nothing listens on its port. */
async function startOurs({
  events,
  phase = 5,
  isTakenDown = false,
}: {
  events: 'on' | 'off';
  phase?: 4 | 5;
  isTakenDown?: boolean;
}): Promise<{ url: string; stop: () => Promise<void> }> {
  const database = await createDatabase({ phase });
  if (isTakenDown) await migrateDown(database.url(), { to: 1, dropData: true });
  const { child, origin } = await startService('chat-api', {
    DATABASE_URL: database.url('chat-api'),
    DAPR_HTTP_PORT: '1',
    JWT_SECRET: crypto.randomUUID(),
    EVENTS: events,
    DELIVERY_DRAIN_MS: '0',
  });
  return {
    url: origin,
    async stop() {
      child.kill('SIGTERM');
      await child.exited;
      await database.drop();
    },
  };
}
