import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { CREATED, startPair, startToyApp } from './toy.ts';

const TOKEN = 'dapr-token';
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let consumer: ReturnType<typeof startToyApp>;
let callee: Bun.Server<undefined>;
let pair: Awaited<ReturnType<typeof startPair>>;

beforeAll(async () => {
  consumer = startToyApp();
  callee = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: echo });
  pair = await startPair(consumer, {
    daprApiToken: TOKEN,
    appApiToken: 'app-token',
    controlPort: 0,
    apps: [
      { appId: 'chat-api', appPort: callee.port, httpPort: 0 },
      { appId: 'audit-logger', appPort: consumer.port, httpPort: 0 },
      { appId: 'recurring-task-processor', httpPort: 0 },
      { appId: 'stranger', httpPort: 0 },
    ],
  });
  await eventually(() => pair.standIn.state().apps.every(({ ready }) => ready));
});

afterAll(async () => {
  await pair.close();
  await consumer.stop();
  await callee.stop(true);
});

async function echo(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const seen = {
    method: request.method,
    pathname,
    search,
    body: await request.text(),
    headers: request.headers.toJSON(),
  };
  return Response.json(seen, { status: 207, headers: { 'x-answer': 'kept' } });
}

function call(appId: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has('dapr-api-token')) headers.set('dapr-api-token', TOKEN);
  return fetch(`http://127.0.0.1:${pair.standIn.port(appId)}${path}`, { ...init, headers });
}

const post = (appId: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(appId, path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

async function refusal(response: Response): Promise<[number, string]> {
  const { errorCode, message } = (await response.json()) as { errorCode: string; message: string };
  expect(message).toBeString();
  return [response.status, errorCode];
}

async function control(path: string, body: unknown): Promise<Response> {
  return fetch(`http://127.0.0.1:${pair.standIn.controlPort}${path}`, { method: 'POST', body: JSON.stringify(body) });
}

const delivered = (match: (envelope: Record<string, unknown>) => boolean) =>
  eventually(() => consumer.received.find(({ envelope }) => match(envelope)));

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
    expect(await refusal(await post('chat-api', '/v1.0/publish/taskflow-pubsub/', {}))).toEqual([
      404,
      'ERR_TOPIC_NAME_EMPTY',
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
    expect((await post('chat-api', path, 'x'.repeat(5 * 1024 * 1024))).status).toBe(413);
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

  test('hang keeps the publisher waiting and writes in the end; fail answers 500; absent 404', async () => {
    await control('/apps/chat-api/faults', { publish: 'hang' });
    const hanging = post('chat-api', path, { waited: true });
    const gaveUp = call('chat-api', path, { method: 'POST', body: 'gave up', signal: AbortSignal.timeout(50) });
    await expect(gaveUp).rejects.toThrow('timed out');

    await control('/apps/chat-api/faults', { publish: 'fail' });
    expect(await refusal(await hanging)).toEqual([500, 'ERR_PUBSUB_PUBLISH_MESSAGE']);
    await control('/apps/chat-api/faults', { publish: 'absent' });
    expect(await refusal(await post('chat-api', path, {}))).toEqual([404, 'ERR_PUBSUB_NOT_FOUND']);
    expect(await (await call('chat-api', '/v1.0/metadata')).json()).toMatchObject({ components: [] });
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

describe('invoke', () => {
  const batch = '/v1.0/invoke/chat-api/method/api/v1/tasks/batch';

  test('passes method, path, query, headers and body, and status, headers and body back', async () => {
    const response = await post('recurring-task-processor', `${batch}?a=1&b=%20`, '{"tasks":[]}', {
      authorization: 'Bearer service',
      traceparent: TRACE,
    });
    expect([response.status, response.headers.get('x-answer')]).toEqual([207, 'kept']);
    const seen = (await response.json()) as { headers: Record<string, string> };
    expect(seen).toMatchObject({
      method: 'POST',
      pathname: '/api/v1/tasks/batch',
      search: '?a=1&b=%20',
      body: '{"tasks":[]}',
    });
    expect(seen.headers).toMatchObject({
      authorization: 'Bearer service',
      'content-type': 'application/json',
      'dapr-api-token': 'app-token',
      'dapr-caller-app-id': 'recurring-task-processor',
    });
    expect(seen.headers['traceparent']).toStartWith(TRACE.slice(0, 36));
  });

  test.each([
    ['recurring-task-processor', 'GET', '/api/v1/tasks/batch'],
    ['recurring-task-processor', 'POST', '/api/v1/tasks'],
    ['audit-logger', 'POST', '/api/v1/tasks/batch'],
  ])('access control keeps %s from %s %s', async (caller, method, path) => {
    const response = await call(caller, `/v1.0/invoke/chat-api/method${path}`, { method });
    expect(await refusal(response)).toEqual([403, 'ERR_DIRECT_INVOKE']);
  });

  test('an unknown app and a sidecar that is off are 500 at once', async () => {
    expect(await refusal(await post('chat-api', '/v1.0/invoke/nobody/method/x', {}))).toEqual([
      500,
      'ERR_DIRECT_INVOKE',
    ]);
    pair.standIn.setFaults('chat-api', { state: 'off' });
    expect(await refusal(await post('recurring-task-processor', batch, {}))).toEqual([500, 'ERR_DIRECT_INVOKE']);
    pair.standIn.setFaults('chat-api', { state: 'on' });
    await eventually(() => pair.standIn.state().apps.every(({ ready }) => ready));
  });
});

describe('health, metadata and tokens', () => {
  test('without the right token everything but health is 401', async () => {
    for (const path of ['/v1.0/metadata', `/v1.0/publish/taskflow-pubsub/${CREATED}`, '/v1.0/invoke/chat-api/method/x'])
      for (const token of ['', 'wrong'])
        expect((await call('chat-api', path, { method: 'POST', headers: { 'dapr-api-token': token } })).status).toBe(
          401,
        );
    const port = pair.standIn.port('chat-api');
    for (const path of ['/v1.0/healthz', '/v1.0/healthz/outbound'])
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(204);
  });

  test('healthz is 500 until the app listened, outbound 204 before that', async () => {
    const reserved = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
    const appPort = reserved.port ?? 0;
    await reserved.stop(true);
    const late = await startPair({ port: appPort });
    try {
      const port = late.standIn.port('audit-logger');
      const health = () => fetch(`http://127.0.0.1:${port}/v1.0/healthz`);
      expect(await refusal(await health())).toEqual([500, 'ERR_HEALTH_NOT_READY']);
      expect((await fetch(`http://127.0.0.1:${port}/v1.0/healthz/outbound`)).status).toBe(204);
      const app = Bun.serve({ hostname: '127.0.0.1', port: appPort, fetch: () => new Response() });
      await eventually(async () => (await health()).status === 204);
      await app.stop(true);
    } finally {
      await late.close();
    }
  });

  test('a taken port is an error and leaves nothing open', async () => {
    const taken = pair.standIn.port('chat-api');
    const apps = [
      { appId: 'audit-logger', httpPort: 0 },
      { appId: 'chat-api', httpPort: taken },
    ];
    await expect(startPair({ port: 0 }, { apps })).rejects.toThrow('in use');
  });

  test('metadata names the component and what the app subscribes to', async () => {
    const metadata = (await (await call('audit-logger', '/v1.0/metadata')).json()) as { subscriptions: unknown[] };
    expect(metadata).toMatchObject({
      id: 'audit-logger',
      runtimeVersion: expect.any(String),
      components: [{ name: 'taskflow-pubsub', type: 'pubsub.kafka', version: 'v1' }],
    });
    expect(metadata.subscriptions).toHaveLength(6);
    expect(metadata.subscriptions[0]).toMatchObject({
      topic: CREATED,
      deadLetterTopic: 'taskflow.dlq.audit-logger',
      rules: [{ path: '/events/created' }],
    });
  });

  test('an API that the Configuration does not allow does not exist', async () => {
    expect(await refusal(await post('chat-api', '/v1.0/shutdown', {}))).toEqual([404, 'ERR_DIRECT_INVOKE']);
    expect(await refusal(await call('chat-api', '/v1.0/state/store/key'))).toEqual([404, 'ERR_DIRECT_INVOKE']);
  });
});
