import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { DEAD_LETTER_ROUTE } from '#shared/events';
import { CREATED, startToys, type Toy, type Toys, UPDATED } from './fixtures/toys.ts';

// What becomes of an event that its consumer refuses for good, and of a dead letter that is refused in its turn.

let toys: Toys;
let consumer: Toy;
let bystander: Toy;
beforeAll(async () => {
  toys = await startToys(['chat-api', 'audit-logger', 'notification-service']);
  consumer = toys.app('audit-logger');
  bystander = toys.app('notification-service');
});
afterAll(() => toys?.stop());

const drop = () => Response.json({ status: 'DROP' });
const retry = () => Response.json({ status: 'RETRY' });
const status = (code: number) => () => new Response('no', { status: code });

describe.each([
  ['DROP', drop],
  ['404', status(404)],
])('an event answered %s', (_what, refuse) => {
  test('is a dead letter at once: the event as it was, its place in headers, at its consumer alone', async () => {
    const id = consumer.willAnswer([refuse]);
    await toys.publish({ id, data: { hello: 'world' }, metadata: { partitionKey: 'task-1', mine: 'kept' } });
    const [letter] = await consumer.receives(id, { path: DEAD_LETTER_ROUTE });
    const refused = consumer.of(id, '/events/created');
    expect(refused).toHaveLength(1);
    expect(letter?.body).toEqual(refused[0]?.body ?? {});
    const place = ['__topic', '__partition', '__offset', '__key', '__timestamp', 'mine'];
    const placeOf = (headers: Record<string, string> = {}) => place.map((name) => headers[name]);
    expect(placeOf(letter?.headers)).toEqual(placeOf(refused[0]?.headers));
    expect(placeOf(letter?.headers)).toEqual([
      CREATED,
      expect.stringMatching(/^[012]$/),
      expect.stringMatching(/^\d+$/),
      'task-1',
      expect.stringMatching(/^\d{13}$/),
      'kept',
    ]);
    await bystander.receives(id);
    await toys.caughtUp('notification-service');
    expect(bystander.of(id)).toHaveLength(1);
  });

  test('does not hold up what comes after it, not of its own key either', async () => {
    const id = consumer.willAnswer([refuse]);
    const metadata = { partitionKey: 'task-2' };
    await toys.publish({ id, metadata });
    const next = await toys.publish({ metadata });
    await consumer.receives(next);
    await consumer.receives(id, { path: DEAD_LETTER_ROUTE });
    expect(consumer.of(id, '/events/created')).toHaveLength(1);
  });
});

test('dead letters of all topics of a consumer come to one route', async () => {
  const id = consumer.willAnswer([drop], { path: '/events/updated' });
  await toys.publish({ id, topic: UPDATED });
  const [letter] = await consumer.receives(id, { path: DEAD_LETTER_ROUTE });
  expect(letter?.body.topic).toBe(UPDATED);
});

describe('a dead letter answered', () => {
  test.each([
    ['RETRY', retry],
    ['500', status(500)],
  ])('%s comes again after 2 s', async (_what, answer) => {
    const id = consumer.willAnswer([drop]);
    consumer.willAnswer([answer], { id, path: DEAD_LETTER_ROUTE });
    await toys.publish({ id });
    const [first, second] = await consumer.receives(id, { count: 2, path: DEAD_LETTER_ROUTE });
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeWithin(1900, 4000);
    await toys.caughtUp('audit-logger');
    expect(consumer.of(id)).toHaveLength(3);
  });

  test.each([
    ['DROP', drop],
    ['404', status(404)],
  ])('%s is gone', async (_what, refuse) => {
    const id = consumer.willAnswer([drop]);
    consumer.willAnswer([refuse], { id, path: DEAD_LETTER_ROUTE });
    await toys.publish({ id });
    await consumer.receives(id, { path: DEAD_LETTER_ROUTE });
    await toys.caughtUp('audit-logger');
    expect(consumer.of(id)).toHaveLength(2);
  });
});
