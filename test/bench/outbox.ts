import { createRelay } from '../../services/chat-api/outbox/relay.ts';
import { writeEvents } from '../../services/chat-api/outbox/fixture.ts';
import { claimRows, markSent } from '../../services/chat-api/outbox/rows.ts';
import { freePorts } from '../../services/local/machine/port.ts';
import { createSidecar } from '#shared/dapr';
import { connect } from '#shared/db';
import { createLog } from '#shared/log';
import { createMetrics } from '#shared/metrics';
import { createDatabase } from '../support/database.ts';
import { inTurns } from '../support/load.ts';
import { createSidecars } from '../support/sidecars.ts';
import { eventually } from '../support/wait.ts';
import { print } from './figures.ts';

const EVENTS = 6000;
const ROUNDS = 3;
/** As the relay has under way. */
const IN_FLIGHT = 32;
const BULK = 100;
const BULKS_IN_FLIGHT = 2;
const TOPIC = 'taskflow.tasks.created';
const BODY = { filler: 'x'.repeat(900) };
const version = { version: 'bench', commit: 'bench' };

/**
 * How fast an outbox is emptied by the relay, which publishes one by one, and as it would be in bulk; beside bare publishes to
 * the same sidecar. No consumers run: they take an event in milliseconds, so it is they that a backlog waits for.
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
      const single = await rateOf(() => inTurns(EVENTS, IN_FLIGHT, () => publish(sidecarPort)));
      const bulk = await rateOf(() => inTurns(EVENTS / BULK, BULKS_IN_FLIGHT, () => publishBulk(sidecarPort)));
      const [relay, bulkRelay] = [await drain(sidecarPort, drainSingly), await drain(sidecarPort, drainInBulk)];
      print(`round ${round}: the relay, one by one`, `${relay}/s`, `bare ${single}/s`);
      print(`round ${round}: in bulk of ${BULK}`, `${bulkRelay}/s`, `bare ${bulk}/s`);
    }
  } finally {
    await sidecars.stop();
    await app.stop(true);
  }
}

type Drain = (url: string, sidecarPort: number) => Promise<void>;

async function drain(sidecarPort: number, how: Drain): Promise<number> {
  const database = await createDatabase();
  try {
    await writeEvents(database, { tasks: EVENTS });
    return await rateOf(() => how(database.url('chat-api'), sidecarPort));
  } finally {
    await database.drop();
  }
}

async function drainSingly(url: string, sidecarPort: number): Promise<void> {
  const sidecar = await createSidecar({ port: sidecarPort, apiToken: '' });
  const [log, metrics] = [createLog('bench', { level: 'error' }), createMetrics('bench', version)];
  const relay = createRelay({ url, sidecar, log, metrics });
  await relay.runOnce();
  await relay.close();
  await sidecar.stop();
}

/** What the relay would do at least: without checks, without retries, without metrics. */
async function drainInBulk(url: string, sidecarPort: number): Promise<void> {
  const sql = connect(url, { name: 'bench', max: BULKS_IN_FLIGHT, publishes: true, syncCommit: false, byIndex: true });
  const loop = async () => {
    for (;;) {
      const rows = await claimRows(sql, BULK);
      if (rows.length === 0) return;
      await publishBulk(
        sidecarPort,
        rows.map(({ event_id: id, event }) => ({ id, event })),
      );
      await markSent(
        sql,
        rows.map(({ seq }) => seq),
      );
    }
  };
  await Promise.all(Array.from({ length: BULKS_IN_FLIGHT }, loop));
  await sql.end();
}

async function publish(sidecarPort: number): Promise<void> {
  const id = Bun.randomUUIDv7();
  const query = `metadata.partitionKey=${id}&metadata.cloudevent.id=${id}`;
  const url = `http://127.0.0.1:${sidecarPort}/v1.0/publish/taskflow-pubsub/${TOPIC}?${query}`;
  await post(url, BODY);
}

const fillers = () => Array.from({ length: BULK }, () => ({ id: Bun.randomUUIDv7(), event: BODY as object }));

async function publishBulk(sidecarPort: number, events = fillers()): Promise<void> {
  const entries = events.map(({ id, event }) => {
    const metadata = { partitionKey: id, 'cloudevent.id': id };
    return { entryId: id, event, contentType: 'application/json', metadata };
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
