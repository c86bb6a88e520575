import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { DEAD_LETTER_ROUTE } from '#shared/events';
import { eventually } from '../support/wait.ts';
import { differences, isReal } from './differences.ts';
import { type Answer, startToys, type Toy, type Toys, UPDATED } from './fixtures/toys.ts';

// What a sidecar makes of each answer of a consumer, and of a consumer that is not there.

const RETRY_MS = 2000;
const DELIVERY_TIMEOUT_MS = 10_000;
/** The stand-in counts attempts and no time: what holds for six of them holds for thirty, and `check` may take 3 minutes. */
const GONE_MS = isReal ? 60_000 : 12_000;

let toys: Toys;
let consumer: Toy;
beforeAll(async () => {
  toys = await startToys(['chat-api', 'notification-service', 'reminder-service', 'audit-logger']);
  consumer = toys.app('notification-service');
});
afterAll(() => toys?.stop());

const text = (status: number) => () => new Response('no', { status });
const json = (status: string) => () => Response.json({ status });

test('events of one key come in the order of publishing', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) ids.push(await toys.publish({ metadata: { partitionKey: 'task-1' } }));
  await Promise.all(ids.map((id) => consumer.receives(id)));
  expect(consumer.deliveries.map(({ id }) => id).filter((id) => ids.includes(id))).toEqual(ids);
});

test.each([
  ['200 without a body', () => new Response()],
  ['200 with text', text(200)],
  ['200 with an empty object', () => Response.json({})],
  ['200 with an empty status', json('')],
  ['204', () => new Response(null, { status: 204 })],
  ['SUCCESS', json('SUCCESS')],
])('an event answered %s is done', async (_what, answer) => {
  const id = consumer.willAnswer([answer]);
  await toys.publish({ id });
  await consumer.receives(id);
  await toys.caughtUp('notification-service');
  expect(consumer.of(id)).toHaveLength(1);
});

test('an event whose connection closes without an answer comes again after 2 s', async () => {
  await comesAgain(async () => {
    await consumer.close();
    consumer.open();
    return new Response();
  });
});

test('while one event is repeated its partition waits and the others go on', async () => {
  const metadata = { partitionKey: 'task-2' };
  const id = consumer.willAnswer([json('RETRY')]);
  await toys.publish({ id, metadata });
  const [first] = await consumer.receives(id);
  const behind = await toys.publish({ metadata });
  const beside = await toys.publish({ topic: UPDATED, metadata });
  const [elsewhere] = await consumer.receives(beside, { path: '/events/updated' });
  const [held] = await consumer.receives(behind);
  const [, again] = consumer.of(id);
  expect(consumer.of(id)).toHaveLength(2);
  expect(elsewhere?.at).toBeLessThan(again?.at ?? 0);
  expect((held?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(RETRY_MS - 100);
});

describe.concurrent('an event', () => {
  test.each([
    ['RETRY', json('RETRY')],
    ['an unknown status', json('LATER')],
    ['a redirection', () => Response.redirect('/elsewhere', 307)],
    ['400', text(400)],
    ['401', text(401)],
    ['429', text(429)],
    ['500', text(500)],
    ['503', text(503)],
  ])('answered %s comes again after 2 s, as often as it takes', (_what, answer) => comesAgain(answer), 60_000);

  test('not answered comes again 2 s after the 10 s that it may take', async () => {
    const hanging = toys.app('reminder-service'); // of its own: daprd has one call to an app at a time
    const begun = Promise.withResolvers<void>();
    const never = () => {
      begun.resolve();
      return new Promise<Response>(() => {});
    };
    const again = comesAgain(never, { times: 1, heldMs: DELIVERY_TIMEOUT_MS, app: 'reminder-service' });
    await begun.promise;
    const from = performance.now();
    const behind = await toys.publish({ topic: UPDATED });
    await hanging.receives(behind, { path: '/events/updated', ms: 30_000 });
    expect(performance.now() - from).toBeWithin(...differences.behindHangingMs);
    await again;
  }, 60_000);

  test(`for an app that is gone for ${GONE_MS / 1000} s waits, and is no dead letter`, async () => {
    const gone = toys.app('audit-logger');
    await gone.receives(await toys.publish());
    await gone.close();
    const goneAt = performance.now();
    const published: { id: string; key: string }[] = [];
    for (let i = 0; i < 30; i++) {
      const key = `gone-${i % 5}`;
      published.push({ key, id: await toys.publish({ metadata: { partitionKey: key } }) });
    }
    await eventually(() => performance.now() - goneAt >= GONE_MS, GONE_MS + 5000);
    const before = gone.deliveries.length;
    gone.open();
    const backAt = performance.now();
    await eventually(() => gone.deliveries.length > before);
    expect(performance.now() - backAt).toBeLessThan(RETRY_MS + 2000);
    await Promise.all(published.map(({ id }) => gone.receives(id)));
    for (const key of new Set(published.map(({ key }) => key))) {
      const ids = published.filter((event) => event.key === key).map(({ id }) => id);
      expect(gone.deliveries.map(({ id }) => id).filter((id) => ids.includes(id))).toEqual(ids);
    }
    expect(gone.deliveries.filter(({ path }) => path === DEAD_LETTER_ROUTE)).toEqual([]);
  }, 90_000);
});

/** Publishes an event that is answered so `times` times, and looks at the pauses between its deliveries. */
async function comesAgain(answer: Answer, { times = 2, heldMs = 0, app = 'notification-service' } = {}): Promise<void> {
  const consumer = toys.app(app);
  const id = consumer.willAnswer(Array.from({ length: times }, () => answer));
  await toys.publish({ id });
  const seen = await consumer.receives(id, { count: times + 1, ms: 50_000 });
  const pauses = seen.slice(1).map(({ at }, i) => at - (seen[i]?.at ?? 0));
  // What was held has been so since the sidecar sent it, which may be well before it was taken here.
  const least = heldMs + RETRY_MS - (heldMs > 0 ? 1900 : 100);
  for (const pause of pauses) expect(pause).toBeWithin(least, heldMs + RETRY_MS + 2000);
  await toys.caughtUp(app, 50_000);
  expect(consumer.of(id)).toHaveLength(times + 1);
}
