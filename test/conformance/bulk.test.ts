import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { DEAD_LETTER_ROUTE, PUBSUB } from '#shared/events';
import { eventually } from '../support/wait.ts';
import { type Batch, CREATED, startToys, statuses, type Toy, type Toys, tokens, UPDATED } from './fixtures/toys.ts';

// What a sidecar makes of each answer to a batch. audit-logger has the longest await, so that what is published together comes
// together; should a tick fall in between, a test takes other events.

const RETRY_MS = 2000;
const DELIVERY_TIMEOUT_MS = 10_000;

let toys: Toys;
let consumer: Toy;
beforeAll(async () => {
  toys = await startToys(['chat-api', 'audit-logger'], { inBulk: true });
  consumer = toys.app('audit-logger');
  await published(1); // until its sidecar has its partitions
}, 60_000);
afterAll(() => toys?.stop());
afterEach(async () => {
  consumer.answerBatch = succeed;
  await toys.caughtUp('audit-logger', 20_000);
});

type Answers = (ids: string[], batch: Batch) => Response | Promise<Response>;

const succeed = (batch: Batch) => statuses(batch, () => 'SUCCESS');
/** SUCCESS for all but one, by its place among the ids. */
const allBut =
  (place: number, status: string | undefined): Answers =>
  (ids, batch) =>
    statuses(batch, (id) => (id === ids[place] ? status : 'SUCCESS'));
const of = (id = '') => consumer.batches.filter(({ ids }) => ids.includes(id));
const newIds = (count: number) => Array.from({ length: count }, () => crypto.randomUUID() as string);
const letters = (ids: string[]) =>
  consumer.deliveries.filter(({ path, id }) => path === DEAD_LETTER_ROUTE && ids.includes(id));

/** Waits for so many deliveries of this event. */
const comes = (id = '', times = 1, ms = 30_000): Promise<Batch[]> =>
  eventually(() => of(id).length >= times && of(id), { ms, what: `${times} deliveries of ${id}` });

/** Publishes events that come in one batch; what that is answered, as often as it is whole. @returns their ids, in order */
async function published(count: number, answer: Answers = (_ids, batch) => succeed(batch)): Promise<string[]> {
  for (;;) {
    const ids = newIds(count);
    consumer.answerBatch = (batch) => (batch.ids.join() === ids.join() ? answer(ids, batch) : succeed(batch));
    await toys.publishTogether(ids);
    await Promise.all(ids.map((id) => comes(id, 1, 20_000)));
    if (of(ids[0])[0]?.ids.length === count) return ids;
  }
}

/** The first time this answer, then SUCCESS. */
function once(answer: () => Response | Promise<Response>): Answers {
  let times = 0;
  return (_ids, batch) => (times++ === 0 ? answer() : succeed(batch));
}

const pause = ([first, second]: Batch[]) => (second?.at ?? 0) - (first?.at ?? 0);
const isAgain = (batches: Batch[], afterMs: number) => expect(pause(batches)).toBeWithin(afterMs - 100, afterMs + 2000);
const entriesOf = (batch: Batch | undefined) =>
  (batch?.body.entries ?? []) as {
    entryId: string;
    event: Record<string, unknown>;
    metadata: Record<string, string>;
  }[];

test('a batch is one call: events of one partition, in order, each with its record; no record in the headers', async () => {
  const ids = await published(3);
  const [batch] = of(ids[0]);
  const entries = entriesOf(batch);
  const offset = Number(entries[0]?.metadata.__offset);
  expect<object>({ path: batch?.path, ...batch?.body, entries: [] }).toEqual({
    path: '/events/created',
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    type: 'com.dapr.event.sent.bulk',
    topic: CREATED,
    pubsubname: PUBSUB,
    metadata: { pubsubName: PUBSUB },
    entries: [],
  });
  expect<object[]>(entries).toEqual(
    ids.map((id, i) => ({
      entryId: String(i),
      contentType: 'application/cloudevents+json',
      event: expect.objectContaining({ id, topic: CREATED, pubsubname: PUBSUB, data: { n: id }, specversion: '1.0' }),
      metadata: expect.objectContaining({
        __topic: CREATED,
        __partition: expect.stringMatching(/^[012]$/),
        __offset: String(offset + i),
        __key: 'together',
        __timestamp: expect.stringMatching(/^\d{13}$/),
        partitionKey: 'together',
      }),
    })),
  );
  const { headers = {} } = batch ?? {};
  expect(headers).toMatchObject({ 'dapr-api-token': tokens.APP_API_TOKEN, pubsubname: PUBSUB });
  expect(headers['content-type']).toStartWith('application/json');
  const traceOf = (traceparent: unknown) => String(traceparent).split('-')[1];
  expect(traceOf(headers.traceparent)).toBe(traceOf(entries.at(-1)?.event.traceparent));
  expect(Object.keys(headers).filter((name) => name.startsWith('__'))).toEqual([]);
});

test('a batch of which all are answered SUCCESS is done', async () => {
  const ids = await published(3);
  await toys.caughtUp('audit-logger');
  for (const id of ids) expect(of(id)).toHaveLength(1);
});

describe('an event of a batch', () => {
  test.each([
    ['answered RETRY', 'RETRY'],
    ['with an empty status', ''],
    ['with an unknown status', 'LATER'],
    ['left out of the answer', undefined],
  ])('%s comes again after 2 s, alone, under its id', async (_what, status) => {
    const ids = await published(3, allBut(1, status));
    const seen = await comes(ids[1], 2);
    isAgain(seen, RETRY_MS);
    expect(seen[1]?.ids).toEqual([ids[1] ?? '']);
    expect(entriesOf(seen[1])[0]?.entryId).toBe('1');
    expect(seen[1]?.body.id).toBe(seen[0]?.body.id);
    await toys.caughtUp('audit-logger');
    expect([of(ids[0]).length, of(ids[2]).length]).toEqual([1, 1]);
  });

  test('answered DROP is a dead letter, with its place in headers', async () => {
    const ids = await published(3, allBut(1, 'DROP'));
    const [letter] = await consumer.receives(ids[1] ?? '', { path: DEAD_LETTER_ROUTE });
    const refused = entriesOf(of(ids[1])[0])[1];
    expect(letter?.body).toEqual(refused?.event ?? {});
    for (const name of ['__topic', '__partition', '__offset']) {
      expect(letter?.headers[name]).toBe(refused?.metadata[name] ?? '');
    }
    await toys.caughtUp('audit-logger');
    for (const id of ids) expect(of(id)).toHaveLength(1);
  });
});

describe('a batch', () => {
  const answers: [string, () => Response | Promise<Response>][] = [
    ['answered without a body', () => new Response()],
    ['answered by text', () => new Response('no')],
    ['answered by one status', () => Response.json({ status: 'SUCCESS' })],
    ['answered 400', () => Response.json({ statuses: [{ entryId: '0', status: 'SUCCESS' }] }, { status: 400 })],
    ['answered 500', () => new Response('', { status: 500 })],
    [
      'of which the connection closes',
      async () => {
        await consumer.close();
        consumer.open();
        return new Response();
      },
    ],
  ];
  test.each(answers)('%s comes again after 2 s, as a whole', async (_what, answer) => {
    const ids = await published(2, once(answer));
    const seen = await comes(ids[0], 2);
    isAgain(seen, RETRY_MS);
    expect(seen.map((batch) => batch.ids)).toEqual([ids, ids]);
    expect(seen[1]?.body).toEqual(seen[0]?.body ?? {});
  });

  test('not answered comes again 2 s after the 10 s that it may take', async () => {
    const ids = await published(
      2,
      once(() => new Promise<Response>(() => {})),
    );
    const seen = await comes(ids[0], 2, 20_000);
    isAgain(seen, DELIVERY_TIMEOUT_MS + RETRY_MS);
    expect(seen.map((batch) => batch.ids)).toEqual([ids, ids]);
  }, 60_000);

  test('answered 404 is done, and nothing of it is a dead letter: lost', async () => {
    const ids = await published(2, () => new Response('', { status: 404 }));
    await toys.caughtUp('audit-logger');
    for (const id of ids) expect(of(id)).toHaveLength(1);
    expect(letters(ids)).toEqual([]);
  });

  test('that is repeated holds up all topics of its app', async () => {
    let isRepeated = true;
    const [id] = await published(1, (_ids, batch) => statuses(batch, () => (isRepeated ? 'RETRY' : 'SUCCESS')));
    const [beside = ''] = newIds(1);
    await toys.publishTogether([beside], UPDATED);
    await comes(id, 3);
    expect(of(beside)).toEqual([]);
    isRepeated = false;
    await comes(beside);
  });

  test('with DROP in a part that is sent again ends the sidecar, and comes again as a whole to the next one', async () => {
    const ids = await published(3, allBut(2, 'RETRY'));
    consumer.answerBatch = (batch) => statuses(batch, () => 'DROP');
    const refuses = () =>
      toys.ask('audit-logger', '/v1.0/healthz').then(
        () => false,
        () => true,
      );
    await eventually(refuses, { ms: 30_000, what: 'the sidecar to end' });
    consumer.answerBatch = succeed;
    await toys.sidecars.startSidecar('audit-logger');
    await Promise.all(ids.map((id, i) => comes(id, i === 2 ? 3 : 2, 30_000)));
    expect(letters(ids)).toEqual([]);
  }, 60_000);

  test('of a sidecar that is killed while it repeats a part comes again as a whole', async () => {
    const ids = await published(3, allBut(1, 'RETRY'));
    consumer.answerBatch = (batch) => statuses(batch, () => 'RETRY');
    await comes(ids[1], 2);
    await toys.sidecars.killSidecar('audit-logger');
    consumer.answerBatch = succeed;
    await toys.sidecars.startSidecar('audit-logger');
    await Promise.all(ids.map((id, i) => comes(id, i === 1 ? 3 : 2, 30_000)));
  }, 60_000);
});

test('a consumer that knows no batches, and drops one, loses nothing: all of it waits for one that does', async () => {
  consumer.answerBatch = () => Response.json({ status: 'DROP' });
  const ids = newIds(5);
  await toys.publishTogether(ids);
  await comes(ids[0], 2);
  const handled = new Set<string>();
  consumer.answerBatch = (batch) => {
    for (const id of batch.ids) handled.add(id);
    return succeed(batch);
  };
  await eventually(() => ids.every((id) => handled.has(id)));
  expect(letters(ids)).toEqual([]);
});
