import { migrateDown } from '../../db/migrate.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

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

const READY_MS = 15_000;

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
  const child = Bun.spawn([process.execPath, '--no-orphans', 'services/chat-api/main.ts'], {
    cwd: `${import.meta.dir}/../..`,
    env: environment(database, events),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const timer = setTimeout(() => child.kill(), READY_MS);
  const lines = linesOf(child.stdout);
  try {
    const port = await portIn(lines);
    void drain(lines);
    return {
      url: `http://127.0.0.1:${port}`,
      async stop() {
        child.kill('SIGTERM');
        await child.exited;
        await database.drop();
      },
    };
  } finally {
    clearTimeout(timer);
  }
}

const environment = (database: TestDatabase, events: string): Record<string, string> => ({
  HOST: '127.0.0.1',
  PORT: '0',
  DATABASE_URL: database.url('chat-api'),
  DAPR_HTTP_PORT: '1',
  JWT_SECRET: crypto.randomUUID(),
  EVENTS: events,
  DELIVERY_DRAIN_MS: '0',
  LOG_LEVEL: 'info',
});

/** The port stands in the line that says it listens. */
async function portIn(lines: AsyncIterator<string>): Promise<number> {
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const { message, port } = JSON.parse(next.value) as { message: string; port?: number };
    if (message === 'listening' && port !== undefined) return port;
  }
  throw new Error('chat-api ended before it listened');
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** A full pipe would stop the process. Its errors are what explains a failed test. */
async function drain(lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) if (line.includes('"level":"error"')) console.error(line);
}
