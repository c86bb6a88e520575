import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { freePorts } from '../../services/local/port.ts';
import { createSidecars, type Sidecars } from '../support/sidecars.ts';
import { eventually } from '../support/wait.ts';

// What a sidecar hands to a consumer, and what it makes of each answer: on the stand-in and on daprd with Kafka alike.

type Delivery = { path: string; headers: Record<string, string>; body: Record<string, unknown>; at: number };
type Answer = () => Response | Promise<Response>;

const TOPIC = 'taskflow.tasks.created';
const tokens = { DAPR_API_TOKEN: 'to the sidecar', APP_API_TOKEN: 'to the app' };
const [appPort = 0, publisherPort = 0, publisherSidecar = 0, consumerSidecar = 0] = freePorts(4);
const deliveries: Delivery[] = [];
/** What the consumer answers to the first deliveries of an event; SUCCESS after that. */
const answers = new Map<string, Answer[]>();
let sidecars: Sidecars;
const servers: Bun.Server<undefined>[] = [];

beforeAll(async () => {
  servers.push(
    serve(publisherPort, () => new Response()),
    serve(appPort, consume),
  );
  sidecars = await createSidecars({
    placed: [
      { appId: 'chat-api', name: 'chat-api', port: publisherPort, sidecarPort: publisherSidecar },
      { appId: 'notification-service', name: 'notification-service', port: appPort, sidecarPort: consumerSidecar },
    ],
    tokens,
    onLine: () => {},
  });
  await sidecars.start();
});
afterAll(async () => {
  await sidecars?.stop();
  for (const server of servers) await server.stop(true);
});

function serve(port: number, fetch: (request: Request) => Response | Promise<Response>): Bun.Server<undefined> {
  return Bun.serve({ port, hostname: '127.0.0.1', idleTimeout: 120, fetch });
}

async function consume(request: Request): Promise<Response> {
  const body = (await request.json()) as Record<string, unknown>;
  const { pathname: path } = new URL(request.url);
  deliveries.push({ path, headers: request.headers.toJSON(), body, at: Date.now() });
  const next = path === '/events/dead-letter' ? undefined : answers.get(String(body.id))?.shift();
  return next ? next() : Response.json({ status: 'SUCCESS' });
}

/** Publishes one event, to which the consumer will answer so. @returns its id */
async function publish(first: Answer[] = [], metadata: Record<string, string> = {}): Promise<string> {
  const id = crypto.randomUUID();
  answers.set(id, first);
  const query = new URLSearchParams({ 'metadata.cloudevent.id': id });
  for (const [key, value] of Object.entries(metadata)) query.set(`metadata.${key}`, value);
  const response = await fetch(
    `http://127.0.0.1:${publisherSidecar}/v1.0/publish/taskflow-pubsub/${TOPIC}?${query.toString()}`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'dapr-api-token': tokens.DAPR_API_TOKEN },
      body: JSON.stringify({ hello: 'world' }),
    },
  );
  expect(response.status).toBe(204);
  return id;
}

const deliveriesOf = (id: string, path: string) =>
  deliveries.filter((delivery) => delivery.body.id === id && delivery.path === path);
const arrivals = (id: string, count: number, path = '/events/created') =>
  eventually(
    () => {
      const seen = deliveriesOf(id, path);
      return seen.length >= count && seen;
    },
    { ms: 40_000, what: `${count} deliveries to ${path}` },
  );

describe('a delivery', () => {
  test('has our id, type, source and trace, the key of its partition and the token of the app', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const id = await publish([], {
      partitionKey: 'task-1',
      'cloudevent.type': 'task.created',
      'cloudevent.source': 'chat-api',
      'cloudevent.traceparent': `00-${traceId}-b7ad6b7169203331-01`,
    });
    const [delivery] = await arrivals(id, 1);
    expect(delivery?.body).toMatchObject({
      specversion: '1.0',
      id,
      type: 'task.created',
      source: 'chat-api',
      topic: TOPIC,
      pubsubname: 'taskflow-pubsub',
      datacontenttype: 'application/json',
      traceparent: expect.stringContaining(traceId),
      time: expect.any(String),
      data: { hello: 'world' },
    });
    expect(delivery?.headers).toMatchObject({
      'content-type': 'application/cloudevents+json',
      'dapr-api-token': tokens.APP_API_TOKEN,
      traceparent: expect.stringContaining(traceId),
      __key: 'task-1',
      __topic: TOPIC,
    });
  });

  test('of one key comes in the order of publishing', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push(await publish([], { partitionKey: 'task-2' }));
    await Promise.all(ids.map((id) => arrivals(id, 1)));
    const seen = deliveries.map(({ body }) => String(body.id)).filter((id) => ids.includes(id));
    expect(seen).toEqual(ids);
  });
});

describe('the answer of a consumer', () => {
  const text = (status: number) => () => new Response('no', { status });
  const json = (status: string) => () => Response.json({ status });

  test.each([
    ['200 without a body', text(200)],
    ['200 with an empty object', () => Response.json({})],
    ['204', () => new Response(null, { status: 204 })],
    ['SUCCESS', json('SUCCESS')],
  ])('%s: done', async (_what, answer) => {
    const id = await publish([answer]);
    await arrivals(id, 1);
    await eventually(async () => (await sidecars.waiting()).every(({ lag }) => lag === 0), 10_000);
    expect(deliveriesOf(id, '/events/created')).toHaveLength(1);
    expect(deliveriesOf(id, '/events/dead-letter')).toEqual([]);
  });

  test.each([
    ['DROP', json('DROP')],
    ['404', text(404)],
  ])('%s: a dead letter at once, the event as it was', async (_what, answer) => {
    const id = await publish([answer], { partitionKey: 'task-3' });
    const [letter] = await arrivals(id, 1, '/events/dead-letter');
    expect(deliveriesOf(id, '/events/created')).toHaveLength(1);
    expect(letter?.body).toMatchObject({ id, topic: TOPIC, data: { hello: 'world' } });
    expect(letter?.headers).toMatchObject({ __key: 'task-3', __topic: TOPIC });
  });

  test.each([
    ['RETRY', json('RETRY'), 0],
    ['an unknown status', json('LATER'), 0],
    ['400', text(400), 0],
    ['429', text(429), 0],
    ['500', text(500), 0],
    ['none within 10 s', () => new Promise<Response>(() => {}), 10_000],
  ])(
    '%s: again after 2 s, as often as it takes',
    async (_what, answer, heldMs) => {
      const times = heldMs > 0 ? 1 : 2;
      const id = await publish(Array.from({ length: times }, () => answer));
      const seen = await arrivals(id, times + 1);
      const pauses = seen.slice(1).map(({ at }, i) => at - (seen[i]?.at ?? 0));
      for (const pause of pauses) {
        expect(pause).toBeGreaterThanOrEqual(heldMs + 1900);
        expect(pause).toBeLessThan(heldMs + 4000);
      }
      await eventually(async () => (await sidecars.waiting()).every(({ lag }) => lag === 0), 10_000);
      expect(deliveriesOf(id, '/events/dead-letter')).toEqual([]);
    },
    60_000,
  );
});
