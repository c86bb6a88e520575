import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { caller, CREATED, refusal, startPair, startToyApp } from './toy.ts';

const TOKEN = 'dapr-token';
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let consumer: ReturnType<typeof startToyApp>;
let callee: Bun.Server<undefined>;
let pair: Awaited<ReturnType<typeof startPair>>;
const { call, post } = caller((appId) => pair.standIn.port(appId), TOKEN);

beforeAll(async () => {
  consumer = startToyApp();
  callee = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: echo });
  pair = await startPair(consumer, {
    daprApiToken: TOKEN,
    appApiToken: 'app-token',
    apps: [
      { appId: 'chat-api', appPort: callee.port, httpPort: 0 },
      { appId: 'audit-logger', appPort: consumer.port, httpPort: 0 },
      { appId: 'recurring-task-processor', httpPort: 0 },
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

async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
  const { port = 0 } = server; // Gone once it has stopped.
  await server.stop(true);
  return port;
}

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

  test('an unknown app is 500', async () => {
    expect(await refusal(await post('chat-api', '/v1.0/invoke/nobody/method/x', {}))).toEqual([
      500,
      'ERR_DIRECT_INVOKE',
    ]);
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
    const appPort = await freePort();
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
    const free = await freePort();
    const apps = [
      { appId: 'audit-logger', httpPort: free },
      { appId: 'chat-api', httpPort: pair.standIn.port('chat-api') },
    ];
    await expect(startPair({ port: 0 }, { apps })).rejects.toThrow('in use');
    await expect(fetch(`http://127.0.0.1:${free}/v1.0/healthz`)).rejects.toThrow();
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
