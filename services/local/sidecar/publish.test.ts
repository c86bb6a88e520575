import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { caller, CREATED, refusal, startPair, startToyApp } from './toy.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let consumer: ReturnType<typeof startToyApp>;
let pair: Awaited<ReturnType<typeof startPair>>;
const { call, post } = caller((appId) => pair.standIn.port(appId));

beforeAll(async () => {
  consumer = startToyApp();
  pair = await startPair(consumer, {
    controlPort: 0,
    apps: [
      { appId: 'chat-api', httpPort: 0 },
      { appId: 'audit-logger', appPort: consumer.port, httpPort: 0 },
      { appId: 'recurring-task-processor', httpPort: 0 },
      { appId: 'stranger', httpPort: 0 },
    ],
  });
});

afterAll(async () => {
  await pair.close();
  await consumer.stop();
});

const delivered = (match: (envelope: Record<string, unknown>) => boolean) =>
  eventually(() => consumer.received.find(({ envelope }) => match(envelope)));

const control = (path: string, body: unknown): Promise<Response> =>
  fetch(`http://127.0.0.1:${pair.standIn.controlPort}${path}`, { method: 'POST', body: JSON.stringify(body) });

describe('publish', () => {
  const path = `/v1.0/publish/taskflow-pubsub/${CREATED}`;

  test('wraps application/json: the app id as source, an id and the trace of the request', async () => {
    const response = await post('chat-api', `${path}?metadata.partitionKey=k1`, { hello: 1 }, { traceparent: TRACE });
    expect([response.status, await response.text()]).toEqual([204, '']);
    const { envelope, headers } = await delivered(({ data }) => Bun.deepEquals(data, { hello: 1 }));
    expect(envelope).toMatchObject({
      specversion: '1.0',
      source: 'chat-api',
      type: 'com.dapr.event.sent',
      datacontenttype: 'application/json',
      topic: CREATED,
      pubsubname: 'taskflow-pubsub',
    });
    expect(String(envelope['traceparent'])).toStartWith(TRACE.slice(0, 36));
    expect(headers.get('partitionkey')).toBe('k1');
  });

  test('keeps id, time and data of application/cloudevents+json', async () => {
    const event = {
      specversion: '1.0',
      id: 'own-id',
      source: 's',
      type: 't',
      time: '2026-01-02T03:04:05.678Z',
      data: { a: 'ü' },
    };
    await post('chat-api', path, event, {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      traceparent: TRACE,
    });
    const { envelope } = await delivered(({ id }) => id === 'own-id');
    expect(envelope).toMatchObject(event);
    expect(String(envelope['traceparent'])).toStartWith(TRACE.slice(0, 36));
  });

  test('refuses what Dapr refuses, with its codes', async () => {
    expect(await refusal(await post('chat-api', `/v1.0/publish/other/${CREATED}`, {}))).toEqual([
      404,
      'ERR_PUBSUB_NOT_FOUND',
    ]);
    // Unprotected and published by an app without scopes it is allowed; the broker does not know it.
    expect(await refusal(await post('stranger', '/v1.0/publish/taskflow-pubsub/unknown', {}))).toEqual([
      500,
      'ERR_PUBSUB_PUBLISH_MESSAGE',
    ]);
    expect(
      await refusal(await post('chat-api', path, 'nonsense', { 'content-type': 'application/cloudevents+json' })),
    ).toEqual([500, 'ERR_PUBSUB_CLOUD_EVENTS_SER']);
    expect(await refusal(await post('chat-api', path, { text: 'x'.repeat(1024 * 1024) }))).toEqual([
      500,
      'ERR_PUBSUB_PUBLISH_MESSAGE',
    ]);
  });

  test.each([
    ['audit-logger', CREATED],
    ['recurring-task-processor', CREATED],
    ['recurring-task-processor', 'anything'],
    ['chat-api', 'taskflow.tasks.reminder-triggered'],
    ['chat-api', 'taskflow.dlq.audit-logger'],
  ])('the scopes keep %s from %s', async (appId, topic) => {
    expect(await refusal(await post(appId, `/v1.0/publish/taskflow-pubsub/${topic}`, {}))).toEqual([
      403,
      'ERR_PUBSUB_FORBIDDEN',
    ]);
    expect(await refusal(await post(appId, `/v1.0/publish/bulk/taskflow-pubsub/${topic}`, []))).toEqual([
      403,
      'ERR_PUBSUB_FORBIDDEN',
    ]);
  });

  test.each(['/v1.0/publish/bulk', '/v1.0-alpha1/publish/bulk'])(
    '%s writes all, each with its own key',
    async (bulk) => {
      const entries = ['b1', 'b2'].map((id) => entry(`${bulk}-${id}`));
      const response = await post('chat-api', `${bulk}/taskflow-pubsub/${CREATED}`, entries);
      expect([response.status, await response.text()]).toEqual([204, '']);
      const { headers } = await delivered(({ id }) => id === `${bulk}-b2`);
      expect(headers.get('__key')).toBe(`key of ${bulk}-b2`);
    },
  );

  test('a bulk names the entries that failed and publishes the others', async () => {
    const entries = [entry('small'), entry('large', 'x'.repeat(1024 * 1024)), entry('small-too')];
    const response = await post('chat-api', `/v1.0/publish/bulk/taskflow-pubsub/${CREATED}`, entries);
    expect([response.status, await response.json()]).toMatchObject([
      500,
      {
        errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE',
        failedEntries: [{ entryId: 'large', error: expect.stringContaining('MaxMessageBytes') }],
      },
    ]);
    await delivered(({ id }) => id === 'small');
    await delivered(({ id }) => id === 'small-too');
    expect(consumer.ids()).not.toContain('large');
  });

  test('a bulk without entry ids is refused', async () => {
    const [first] = [entry('same')];
    expect(
      await refusal(await post('chat-api', `/v1.0/publish/bulk/taskflow-pubsub/${CREATED}`, [first, first])),
    ).toEqual([400, 'ERR_PUBSUB_EVENTS_SER']);
  });

  const entry = (id: string, text = '') => ({
    entryId: id,
    event: { specversion: '1.0', id, source: 's', type: 't', data: { text } },
    contentType: 'application/cloudevents+json',
    metadata: { partitionKey: `key of ${id}` },
  });
});

describe('publish faults', () => {
  const path = `/v1.0/publish/taskflow-pubsub/${CREATED}`;

  test('hang keeps the publisher waiting and writes in the end, even when it gave up', async () => {
    await control('/apps/chat-api/faults', { publish: 'hang' });
    const patient = post('chat-api', path, { publisher: 'patient' });
    const impatient = call('chat-api', path, { method: 'POST', body: 'impatient', signal: AbortSignal.timeout(50) });
    await expect(impatient).rejects.toThrow('timed out');
    expect(consumer.received.some(({ envelope }) => Bun.deepEquals(envelope['data'], { publisher: 'patient' }))).toBe(
      false,
    );
    await control('/apps/chat-api/faults', { publish: 'ok' });
    expect((await patient).status).toBe(204);
    await delivered(({ data }) => Bun.deepEquals(data, { publisher: 'patient' }));
    await delivered(({ data }) => data === 'impatient');
  });

  test('fail answers 500; absent answers 404 and metadata does not name the component', async () => {
    await control('/apps/chat-api/faults', { publish: 'fail' });
    expect(await refusal(await post('chat-api', path, {}))).toEqual([500, 'ERR_PUBSUB_PUBLISH_MESSAGE']);
    await control('/apps/chat-api/faults', { publish: 'absent' });
    expect(await refusal(await post('chat-api', path, {}))).toEqual([404, 'ERR_PUBSUB_NOT_FOUND']);
    expect(await (await call('chat-api', '/v1.0/metadata')).json()).not.toHaveProperty('components');
    await control('/apps/chat-api/faults', { publish: 'ok' });
    expect((await post('chat-api', path, {})).status).toBe(204);
  });

  test('the switchboard refuses what it does not know', async () => {
    for (const body of [{ publish: 'explode' }, { slow: 3 }, { slow_ms: -1 }, []])
      expect((await control('/apps/chat-api/faults', body)).status).toBe(400);
    expect((await control('/apps/nobody/faults', { slow_ms: 1 })).status).toBe(400);
    expect((await fetch(`http://127.0.0.1:${pair.standIn.controlPort}/healthz`)).status).toBe(204);
  });
});
