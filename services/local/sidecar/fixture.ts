import { join } from 'node:path';
import { createDatabase } from '../../../test/support/database.ts';
import { type Manifests, readManifests, type Subscription } from './manifests.ts';
import { startSidecars } from './start.ts';

// For the tests beside this file: a consumer that does what it is told, and sidecars with short waits.

export const RESOURCES = join(import.meta.dir, '../../../gitops/base/dapr');
export const CREATED = 'taskflow.tasks.created';
export const DEAD_LETTERS = 'taskflow.dlq.audit-logger';

export type Received = { path: string; headers: Headers; envelope: Record<string, unknown>; id: unknown };
type Answer = (received: Received) => Response | Promise<Response>;

/** Takes deliveries on a port that stays the same over `stop` and `start`. */
export function startToyApp(answer: Answer = () => new Response()) {
  const toy = { port: 0, received: [] as Received[], answer, ids, start, stop };
  let server: Bun.Server<undefined> | null = null;
  start();
  return toy;

  function start(): void {
    server = Bun.serve({ hostname: '127.0.0.1', port: toy.port, idleTimeout: 0, fetch: take });
    toy.port = server.port ?? 0;
  }

  async function stop(): Promise<void> {
    await server?.stop(true);
  }

  async function take(request: Request): Promise<Response> {
    const envelope = (await request.json()) as Record<string, unknown>;
    const received = {
      path: new URL(request.url).pathname,
      headers: request.headers,
      envelope,
      id: envelope['id'],
    };
    toy.received.push(received);
    return toy.answer(received);
  }

  function ids(path = '/events/created'): unknown[] {
    return toy.received.filter((received) => received.path === path).map(({ id }) => id);
  }
}

/**
 * The real manifests with a wait of 20 ms between attempts and a delivery timeout of 5 s. One event a delivery, unless
 * `bulk` says how all but dead letters are subscribed to.
 */
export async function quickManifests({ bulk = null as Subscription['bulk'] } = {}): Promise<Manifests> {
  const manifests = await readManifests(RESOURCES);
  return {
    ...manifests,
    subscriptions: manifests.subscriptions.map((each) => ({ ...each, bulk: each.deadLetterTopic ? bulk : null })),
    inbound: { ...manifests.inbound, waitMs: 20, timeoutMs: 5000 },
  };
}

type Statuses = { entryId: string; event: { id: string } }[];

/** An answer to a batch: the status of each of its events, by its id; none leaves it out. */
export const inBulk =
  (statusOf: (id: string) => string | undefined) =>
  ({ envelope }: Received): Response => {
    const statuses = (envelope['entries'] as Statuses).flatMap(({ entryId, event }) => {
      const status = statusOf(event.id);
      return status === undefined ? [] : { entryId, status };
    });
    return Response.json({ statuses });
  };

/** The ids of the events of each batch, in the order in which they came. */
export const batches = ({ received }: { received: Received[] }): string[][] =>
  received
    .filter(({ envelope }) => envelope['entries'])
    .map(({ envelope }) => (envelope['entries'] as Statuses).map(({ event }) => event.id));

/** chat-api publishes, audit-logger receives in `app`; everything is closed by `close`. */
export async function startPair(app: { port: number }, options: Partial<Parameters<typeof startSidecars>[0]> = {}) {
  const database = await createDatabase();
  const start = async () =>
    startSidecars({
      databaseUrl: database.url(),
      apps: [
        { appId: 'chat-api', httpPort: 0 },
        { appId: 'audit-logger', appPort: app.port, httpPort: 0 },
      ],
      resources: await quickManifests(),
      ...options,
    });
  const pair = {
    standIn: await start().catch(async (error) => {
      await database.drop();
      throw error;
    }),
    sql: database.sql,
    /** As after kill -9: what was in memory alone is gone. */
    async crashAndRestart() {
      await pair.standIn.stop({ crash: true });
      pair.standIn = await start();
    },
    publish: (id: string, { key = 'task-1', topic = CREATED, data = {} as unknown } = {}) =>
      publishEvent(pair.standIn.port('chat-api'), id, { key, topic, data }),
    async close() {
      await pair.standIn.stop({ crash: true });
      await database.drop();
    },
  };
  return pair;
}

export const twoReplicas = (one: { port: number }, two: { port: number }) => [
  { appId: 'chat-api', httpPort: 0 },
  { appId: 'audit-logger', appPort: one.port, httpPort: 0 },
  { appId: 'audit-logger', appPort: two.port, httpPort: 0 },
];

export function publishEvent(
  port: number,
  id: string,
  { key = 'task-1', topic = CREATED, data = {} as unknown } = {},
): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v1.0/publish/taskflow-pubsub/${topic}?metadata.partitionKey=${key}`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ specversion: '1.0', id, source: 'chat-api', type: 'task.created', data }),
  });
}
