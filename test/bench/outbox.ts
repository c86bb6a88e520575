import { createRelay } from '../../services/chat-api/outbox/relay.ts';
import { writeEvents } from '../../services/chat-api/outbox/fixture.ts';
import { freePorts } from '../../services/local/machine/port.ts';
import { createSidecar } from '#shared/dapr';
import { createLog } from '#shared/log';
import { createMetrics } from '#shared/metrics';
import { createDatabase } from '../support/database.ts';
import { inTurns } from '../support/load.ts';
import { createSidecars } from '../support/sidecars.ts';
import { eventually } from '../support/wait.ts';
import { print } from './figures.ts';

const EVENTS = 6000;
const ROUNDS = 3;
/** As the relay publishes, and has under way. */
const BULK = 100;
const IN_FLIGHT = 3;
const TOPIC = 'taskflow.tasks.created';
const BODY = { filler: 'x'.repeat(900) };
const version = { version: 'bench', commit: 'bench' };

/**
 * How fast an outbox is emptied by the relay, beside bare publishes in bulk to the same sidecar. No consumers run: they take an event in milliseconds, so it is they that a backlog waits for.
 */
export async function bench(): Promise<void> {
  const [port = 0, sidecarPort = 0] = freePorts(2);
  const app = Bun.serve({ port, hostname: '127.0.0.1', fetch: () => new Response() }); // daprd waits for its app
  const tokens = { DAPR_API_TOKEN: '', APP_API_TOKEN: '' };
  const placed = [{ appId: 'chat-api', name: 'chat-api', port, sidecarPort }] as const;
  const sidecars = await createSidecars({ placed: [...placed], tokens, onLine: () => {} });
  try {
    await sidecars.start();
    // The broker still chooses leaders of topics that it has just created.
    await eventually(() => publish(sidecarPort).then(() => true), { ms: 20_000, what: 'the first accepted publish' });
    console.log(`\nan outbox of ${EVENTS} events, and as many bare publishes: events a second, ${ROUNDS} rounds`);
    for (let round = 1; round <= ROUNDS; round++) {
      const bare = await rateOf(() => inTurns(EVENTS / BULK, IN_FLIGHT, () => publishBulk(sidecarPort)));
      print(`round ${round}: the relay`, `${await drain(sidecarPort)}/s`, `bare ${bare}/s`);
    }
  } finally {
    await sidecars.stop();
    await app.stop(true);
  }
}

async function drain(sidecarPort: number): Promise<number> {
  const database = await createDatabase();
  const sidecar = await createSidecar({ port: sidecarPort, apiToken: '' });
  const [log, metrics] = [createLog('bench', { level: 'error' }), createMetrics('bench', version)];
  const relay = createRelay({ url: database.url('chat-api'), sidecar, log, metrics });
  try {
    await writeEvents(database, { tasks: EVENTS });
    return await rateOf(relay.runOnce);
  } finally {
    await relay.close();
    await sidecar.stop();
    await database.drop();
  }
}

async function publish(sidecarPort: number): Promise<void> {
  const id = Bun.randomUUIDv7();
  const query = `metadata.partitionKey=${id}&metadata.cloudevent.id=${id}`;
  const url = `http://127.0.0.1:${sidecarPort}/v1.0/publish/taskflow-pubsub/${TOPIC}?${query}`;
  await post(url, BODY);
}

async function publishBulk(sidecarPort: number): Promise<void> {
  const entries = Array.from({ length: BULK }, () => {
    const entryId = Bun.randomUUIDv7();
    const metadata = { partitionKey: entryId, 'cloudevent.id': entryId };
    return { entryId, event: BODY, contentType: 'application/json', metadata };
  });
  await post(`http://127.0.0.1:${sidecarPort}/v1.0/publish/bulk/taskflow-pubsub/${TOPIC}`, entries);
}

async function post(url: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (response.status !== 204) throw new Error(`publish answered ${response.status}: ${await response.text()}`);
}

/** Events a second. */
async function rateOf(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return Math.round(EVENTS / ((performance.now() - from) / 1000));
}
