import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { PUBSUB } from '#shared/events';
import { CREATED, refusal, startToys, type Toy, type Toys } from './fixtures/toys.ts';

// What a sidecar makes of a publish: the envelope that arrives, the partition it takes, and what is refused.

let toys: Toys;
let consumer: Toy;
beforeAll(async () => {
  // The scopes do not name `stranger`: it alone may publish to what nobody protects, and so gets as far as the broker.
  toys = await startToys(['chat-api', 'audit-logger', 'stranger']);
  consumer = toys.app('audit-logger');
});
afterAll(() => toys?.stop());

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
const cloudEvents = { 'content-type': 'application/cloudevents+json' };
const path = `/v1.0/publish/${PUBSUB}/${CREATED}`;
const bulkPath = `/v1.0/publish/bulk/${PUBSUB}/${CREATED}`;

/** With its quotes a little more. */
const mebibytes = (count: number) => ({ text: 'x'.repeat(count * 1024 * 1024) });
const cloudEvent = (id: string, data: unknown = {}) => ({ specversion: '1.0', id, source: 's', type: 't', data });

describe('an event published as application/json', () => {
  test('gets an envelope with an id, its app as source and the time in seconds', async () => {
    const marker = crypto.randomUUID();
    const response = await toys.post('chat-api', path, { marker });
    expect([response.status, await response.text()]).toEqual([204, '']);
    await toys.caughtUp('audit-logger');
    const delivery = consumer.deliveries.find(({ body }) => (body.data as { marker?: string }).marker === marker);
    expect(delivery?.body).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      source: 'chat-api',
      type: 'com.dapr.event.sent',
      topic: CREATED,
      pubsubname: PUBSUB,
      datacontenttype: 'application/json',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/),
      traceid: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
      traceparent: delivery?.body.traceid,
      tracestate: '',
      data: { marker },
    });
    expect(delivery?.headers['content-type']).toBe('application/cloudevents+json');
  });

  test('keeps the id, type, source and traceparent that its metadata names', async () => {
    const id = await toys.publish({
      metadata: {
        'cloudevent.type': 'task.created',
        'cloudevent.source': 'elsewhere',
        'cloudevent.traceparent': traceparent,
      },
    });
    const [delivery] = await consumer.receives(id);
    expect(delivery?.body).toMatchObject({ id, type: 'task.created', source: 'elsewhere', traceparent });
    expect(delivery?.headers.traceparent).toContain(traceId);
    expect(delivery?.headers.traceparent).not.toBe(traceparent);
  });

  test('goes on with the trace of the request when its metadata names none', async () => {
    const id = crypto.randomUUID();
    await toys.post('chat-api', `${path}?metadata.cloudevent.id=${id}`, {}, { traceparent });
    const [delivery] = await consumer.receives(id);
    expect(delivery?.body.traceparent).toContain(traceId);
    expect(delivery?.headers.traceparent).toContain(traceId);
  });

  test.each([
    ['what is no JSON', '{"half":', 'application/json'],
    ['nothing', '', 'application/json'],
    ['text', 'plain', 'text/plain'],
  ])('is not validated: %s arrives as text', async (_what, body, contentType) => {
    const id = crypto.randomUUID();
    const response = await toys.post('chat-api', `${path}?metadata.cloudevent.id=${id}`, body, {
      'content-type': contentType,
    });
    expect(response.status).toBe(204);
    const [delivery] = await consumer.receives(id);
    expect(delivery?.body).toMatchObject({ data: body, datacontenttype: contentType });
  });
});

describe('an event published as application/cloudevents+json', () => {
  test('keeps its own id, time with milliseconds, extensions and data', async () => {
    const id = crypto.randomUUID();
    const event = {
      ...cloudEvent(id, { a: 'ü', b: null }),
      time: '2026-01-02T03:04:05.678Z',
      extension: 'mine',
    };
    const contentType = 'application/cloudevents+json; charset=utf-8';
    const response = await toys.post('chat-api', path, event, { 'content-type': contentType, traceparent });
    expect(response.status).toBe(204);
    const [delivery] = await consumer.receives(id);
    expect(delivery?.body).toEqual({
      ...event,
      topic: CREATED,
      pubsubname: PUBSUB,
      traceid: expect.stringContaining(traceId),
      traceparent: expect.stringContaining(traceId),
      tracestate: '',
    });
  });
});

describe('the partition key', () => {
  test('takes one key to one partition, many keys to all of them, and goes along', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `task-${i}`);
    const ids = await Promise.all(
      [...keys, ...keys].map((partitionKey) => toys.publish({ metadata: { partitionKey } })),
    );
    const deliveries = await Promise.all(ids.map(async (id) => (await consumer.receives(id))[0]));
    const partitions = deliveries.map((delivery) => delivery?.headers.__partition);
    expect(partitions.slice(20)).toEqual(partitions.slice(0, 20));
    expect(new Set(partitions).size).toBe(3);
    expect(deliveries.map((delivery) => delivery?.headers.__key)).toEqual([...keys, ...keys]);
  });
});

describe('a publish is refused', () => {
  test.each([
    ['an unknown pub/sub', 'chat-api', `other/${CREATED}`, {}, 404, 'ERR_PUBSUB_NOT_FOUND'],
    ['no topic, which is no publish at all', 'chat-api', `${PUBSUB}/`, {}, 404, 'ERR_DIRECT_INVOKE'],
    ['a topic that its app may not', 'stranger', `${PUBSUB}/${CREATED}`, {}, 403, 'ERR_PUBSUB_FORBIDDEN'],
    ['a topic that the broker lacks', 'stranger', `${PUBSUB}/nothing`, {}, 500, 'ERR_PUBSUB_PUBLISH_MESSAGE'],
    ['1 MiB, too large for Kafka', 'chat-api', `${PUBSUB}/${CREATED}`, mebibytes(1), 500, 'ERR_PUBSUB_PUBLISH_MESSAGE'],
    ['4 MiB, too large for Dapr', 'chat-api', `${PUBSUB}/${CREATED}`, mebibytes(4), 500, 'ERR_PUBSUB_PUBLISH_MESSAGE'],
  ])('for %s', async (_what, from, target, body, status, code) => {
    expect(await refusal(await toys.post(from, `/v1.0/publish/${target}`, body))).toEqual([status, code]);
  });

  test.each(['nonsense', '[]', '"text"', '7'])('as a CloudEvent when it is %s', async (body) => {
    const response = await toys.post('chat-api', path, body, cloudEvents);
    expect(await refusal(response)).toEqual([500, 'ERR_PUBSUB_CLOUD_EVENTS_SER']);
  });
});

describe('a bulk', () => {
  type Entry = { entryId?: string; event: unknown; contentType: string; metadata?: Record<string, string> };
  const entry = (id: string, data: unknown = {}): Entry => ({
    entryId: id,
    event: cloudEvent(id, data),
    contentType: 'application/cloudevents+json',
    metadata: { partitionKey: `key of ${id}` },
  });

  const failure = (entryIds: string[]) => ({
    failedEntries: entryIds.map((entryId) => ({ entryId, error: expect.stringMatching(/^kafka/) })),
    errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE',
  });

  test.each([bulkPath, `/v1.0-alpha1/publish/bulk/${PUBSUB}/${CREATED}`])(
    'to %s: each event by its own key',
    async (to) => {
      const ids = [crypto.randomUUID(), crypto.randomUUID()];
      const response = await toys.post(
        'chat-api',
        to,
        ids.map((id) => entry(id)),
      );
      expect([response.status, await response.text()]).toEqual([204, '']);
      for (const id of ids) {
        const [delivery] = await consumer.receives(id);
        expect(delivery?.headers.__key).toBe(`key of ${id}`);
      }
    },
  );

  test('with application/json wraps each event as its metadata says', async () => {
    const id = crypto.randomUUID();
    const metadata = { 'cloudevent.id': id, 'cloudevent.type': 'task.created', 'cloudevent.traceparent': traceparent };
    const entries = [{ entryId: '1', event: { a: 1 }, contentType: 'application/json', metadata }];
    expect((await toys.post('chat-api', bulkPath, entries)).status).toBe(204);
    const [delivery] = await consumer.receives(id);
    expect(delivery?.body).toMatchObject({ id, source: 'chat-api', type: 'task.created', traceparent, data: { a: 1 } });
  });

  test('names the entries that failed, and the others are published', async () => {
    const [small, large, other] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()] as const;
    const entries = [entry(small), entry(large, mebibytes(1)), entry(other)];
    const response = await toys.post('chat-api', bulkPath, entries);
    expect([response.status, await response.json()]).toEqual([500, failure([large])]);
    await consumer.receives(small);
    await consumer.receives(other);
    await toys.caughtUp('audit-logger');
    expect(consumer.of(large)).toEqual([]);
  });

  test('to a topic that the broker lacks fails whole', async () => {
    const response = await toys.post('stranger', `/v1.0/publish/bulk/${PUBSUB}/nothing`, [entry('1'), entry('2')]);
    expect([response.status, await response.json()]).toEqual([500, failure(['1', '2'])]);
  });

  const same = entry('same');
  const large = [1, 2, 3, 4].map((i) => entry(String(i), mebibytes(1)));
  test.each([
    ['an unknown pub/sub', 'chat-api', `other/${CREATED}`, [same], 404, 'ERR_PUBSUB_NOT_FOUND'],
    ['a topic that its app may not', 'stranger', `${PUBSUB}/${CREATED}`, [same], 403, 'ERR_PUBSUB_FORBIDDEN'],
    ['one id twice', 'chat-api', `${PUBSUB}/${CREATED}`, [same, same], 400, 'ERR_PUBSUB_EVENTS_SER'],
    ['no id', 'chat-api', `${PUBSUB}/${CREATED}`, [{ ...same, entryId: '' }], 400, 'ERR_PUBSUB_EVENTS_SER'],
    ['no list', 'chat-api', `${PUBSUB}/${CREATED}`, {}, 400, 'ERR_PUBSUB_EVENTS_SER'],
    ['what is no JSON', 'chat-api', `${PUBSUB}/${CREATED}`, 'nonsense', 400, 'ERR_PUBSUB_EVENTS_SER'],
    ['4 MiB', 'chat-api', `${PUBSUB}/${CREATED}`, large, 400, 'ERR_PUBSUB_EVENTS_SER'],
  ])('is refused for %s', async (_what, from, target, entries, status, code) => {
    expect(await refusal(await toys.post(from, `/v1.0/publish/bulk/${target}`, entries))).toEqual([status, code]);
  });

  test('is refused whole when one of its events is none', async () => {
    const good = crypto.randomUUID();
    const entries = [entry(good), { ...same, event: 'nonsense' }];
    const answer = await toys.post('chat-api', bulkPath, entries);
    expect(await refusal(answer)).toEqual([500, 'ERR_PUBSUB_CLOUD_EVENTS_SER']);
    await toys.caughtUp('audit-logger');
    expect(consumer.of(good)).toEqual([]);
  });

  test('of nothing is done', async () => {
    expect((await toys.post('chat-api', bulkPath, [])).status).toBe(204);
  });
});
