import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { hostname } from 'node:os';
import { eventually } from '../support/wait.ts';
import { isReal } from './differences.ts';
import { DONE, grpcPortOf, grpcStatus, NOT_SERVED } from './fixtures/grpc.ts';
import { refusal, startToys, type Toy, type Toys } from './fixtures/toys.ts';

// One service calls another through both their sidecars.

let toys: Toys;
let callee: Toy;
beforeAll(async () => {
  toys = await startToys(['chat-api', 'recurring-task-processor', 'notification-service', 'audit-logger'], {
    absent: ['chat-api'],
  });
  callee = toys.app('chat-api');
});
afterAll(() => toys?.stop());

/** Less than the attempts to a sidecar that is gone take. */
const AT_ONCE_MS = 2900;
const batch = '/api/v1/tasks/batch';
const urlOf = (target: string, path: string) => `/v1.0/invoke/${target}/method${path}`;
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** As the one caller that may, on the one path that it may. */
const call = (
  body: unknown = {},
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
) => toys.post('recurring-task-processor', urlOf('chat-api', batch) + query, body, headers);

describe('an invocation', () => {
  test('of an app that does not listen yet is an error at once, and works when it listens', async () => {
    await isRefused(call(), { withinMs: AT_ONCE_MS });
    callee.open();
    expect((await call()).status).toBe(200);
  });

  test('reaches the other app with verb, path, query, headers and body', async () => {
    callee.invoked = async (request) => {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      return Response.json({ method, pathname, search, headers: headers.toJSON(), body: await request.text() });
    };
    const correlationId = crypto.randomUUID();
    const answer = await call(
      { tasks: [{ title: 'ü' }] },
      {
        query: '?a=1&a=2&b=%20%2F',
        headers: {
          authorization: 'Bearer service',
          'x-correlation-id': correlationId,
          'x-forwarded-for': '203.0.113.9',
          traceparent,
        },
      },
    );
    expect(await answer.json()).toEqual({
      method: 'POST',
      pathname: batch,
      search: '?a=1&a=2&b=%20%2F',
      body: '{"tasks":[{"title":"ü"}]}',
      headers: expect.objectContaining({
        authorization: 'Bearer service',
        'content-type': 'application/json',
        'x-correlation-id': correlationId,
        'dapr-caller-app-id': 'recurring-task-processor',
        'dapr-caller-namespace': 'taskflow',
        'dapr-callee-app-id': 'chat-api',
        'x-forwarded-for': '203.0.113.9, 127.0.0.1',
        'x-forwarded-host': hostname(),
        forwarded: `for=127.0.0.1;by=127.0.0.1;host=${hostname()}`,
        traceparent: expect.stringContaining(traceparent.slice(3, 35)),
      }),
    });
  });

  test.each([200, 201, 204, 207, 400, 401, 404, 409, 422, 429, 500, 503])(
    'brings back the status %p, the headers and the body of the app, which it asked once',
    async (status) => {
      let asked = 0;
      const body = status === 204 ? null : JSON.stringify({ code: 'OURS', message: 'ü' });
      callee.invoked = () => {
        asked += 1;
        return new Response(body, {
          status,
          headers: { 'content-type': 'application/json', 'x-own': 'kept', 'retry-after': '7' },
        });
      };
      const answer = await call();
      expect([answer.status, answer.headers.get('x-own'), answer.headers.get('retry-after')]).toEqual([
        status,
        'kept',
        '7',
      ]);
      expect(await answer.text()).toBe(body ?? '');
      expect(asked).toBe(1);
    },
  );

  test.each([
    ['another verb', 'recurring-task-processor', 'GET', batch],
    ['another path', 'recurring-task-processor', 'POST', '/api/v1/tasks'],
    ['another caller', 'notification-service', 'POST', batch],
    ['the delivery route', 'audit-logger', 'POST', '/events/reminder-triggered'],
  ])('is refused for %s', async (_what, caller, method, path) => {
    callee.invoked = () => new Response('reached');
    const answer = await toys.call(caller, urlOf('chat-api', path), {
      method,
      ...(method === 'POST' && { body: '{}' }),
    });
    expect(await refusal(answer)).toEqual([403, 'ERR_DIRECT_INVOKE']);
  });

  test('of an app that nobody knows is an error at once', async () => {
    await isRefused(toys.post('recurring-task-processor', urlOf('nobody', batch), {}), { withinMs: AT_ONCE_MS });
  });

  test('of an app that is gone is an error at once, and works when it is back', async () => {
    await callee.close();
    await isRefused(call(), { withinMs: AT_ONCE_MS });
    callee.open();
    expect((await call()).status).toBe(200);
  });

  test('with more than 4 MiB is an error, with less it is not', async () => {
    callee.invoked = async (request) => Response.json((await request.text()).length);
    expect(await (await call('x'.repeat(3 * 1024 * 1024))).json()).toBe(3 * 1024 * 1024);
    await isRefused(call('x'.repeat(5 * 1024 * 1024)), { withinMs: AT_ONCE_MS });
  });

  // Last: calls that follow may still go to the killed one.
  test('of an app whose sidecar is gone is an error after three more attempts, and works when it is back', async () => {
    await toys.sidecars.fault('chat-api', { state: 'off' });
    await isRefused(call(), { afterMs: 2900, withinMs: 6000 });
    await toys.sidecars.fault('chat-api', { state: 'on' });
    // The file that stands for a cluster's DNS names the killed one for a while.
    await eventually(async () => (await call()).status === 200, 30_000);
  }, 60_000);
});

async function isRefused(call: Promise<Response>, { afterMs = 0, withinMs }: { afterMs?: number; withinMs: number }) {
  const startedAt = performance.now();
  expect(await refusal(await call)).toEqual([500, 'ERR_DIRECT_INVOKE']);
  expect(performance.now() - startedAt).toBeWithin(afterMs, withinMs);
}

describe('the API of a sidecar', () => {
  test.each([
    ['state', 'GET', '/v1.0/state/any/key'],
    ['secrets', 'GET', '/v1.0/secrets/any/key'],
    ['jobs', 'POST', '/v1.0-alpha1/jobs/any'],
    ['configuration', 'GET', '/v1.0/configuration/any'],
    ['shutdown', 'POST', '/v1.0/shutdown'],
    ['anything else', 'GET', '/any'],
  ])('has no %s', async (_name, method, path) => {
    expect(await refusal(await toys.call('chat-api', path, { method }))).toEqual([404, 'ERR_DIRECT_INVOKE']);
  });

  if (isReal) {
    const ask = async (method: string) =>
      grpcStatus(await grpcPortOf(toys.sidecars.pids().get('daprd chat-api')), method);

    test.each(['GetState', 'GetBulkSecret', 'ScheduleJobAlpha1', 'PublishEvent', 'InvokeService', 'Shutdown'])(
      'has no %s by gRPC',
      async (method) => expect(await ask(method)).toBe(NOT_SERVED),
    );

    test('has metadata by gRPC', async () => expect(await ask('GetMetadata')).toBe(DONE));
  }
});
