import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { AppId } from '../../services/local/apps.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';

let stack: RunningStack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

/** Calls another app through the caller's own sidecar. */
function invoke(caller: AppId, method: string, target: string, path: string, more: Record<string, string> = {}) {
  const url = `http://127.0.0.1:${stack.sidecarPorts[caller]}/v1.0/invoke/${target}/method${path}`;
  const headers = { 'content-type': 'application/json', 'dapr-api-token': stack.secrets.DAPR_API_TOKEN, ...more };
  return fetch(url, { method, headers, ...(method === 'POST' && { body: '{"tasks":[]}' }) });
}

const errorCode = async (answer: Response) => ((await answer.json()) as { errorCode: string }).errorCode;
const batch = '/api/v1/tasks/batch';

describe('service invocation', () => {
  test('hands on the status, the headers and the body of the app that was called', async () => {
    const correlationId = crypto.randomUUID();
    const headers = { 'x-correlation-id': correlationId };
    const answer = await invoke('recurring-task-processor', 'POST', 'chat-api', batch, headers);
    expect(answer.status).toBe(401); // chat-api's own refusal: there is no service token
    expect(answer.headers.get('x-correlation-id')).toBe(correlationId);
    expect(await answer.json()).toMatchObject({ code: expect.any(String), message: expect.any(String) });
  });

  test.each([
    ['another verb', 'recurring-task-processor', 'GET', batch],
    ['another path', 'recurring-task-processor', 'POST', '/api/v1/tasks'],
    ['another caller', 'notification-service', 'POST', batch],
    ['the delivery route', 'audit-logger', 'POST', '/events/reminder-triggered'],
  ] as const)('is refused for %s', async (_what, caller, method, path) => {
    const answer = await invoke(caller, method, 'chat-api', path);
    expect([answer.status, await errorCode(answer)]).toEqual([403, 'ERR_DIRECT_INVOKE']);
  });

  test('of an app that nobody knows is an error at once', async () => {
    const answer = await invoke('recurring-task-processor', 'POST', 'nobody', batch);
    expect([answer.status, await errorCode(answer)]).toEqual([500, 'ERR_DIRECT_INVOKE']);
  });

  test('needs the token of the sidecar', async () => {
    const answer = await invoke('recurring-task-processor', 'POST', 'chat-api', batch, { 'dapr-api-token': 'wrong' });
    expect(answer.status).toBe(401);
  });
});

describe('the API of a sidecar', () => {
  const ask = (path: string, method = 'GET') => {
    const headers = { 'dapr-api-token': stack.secrets.DAPR_API_TOKEN };
    return fetch(`http://127.0.0.1:${stack.sidecarPorts['chat-api']}${path}`, { method, headers });
  };

  test.each(['/v1.0/healthz', '/v1.0/healthz/outbound'])('%s answers 204', async (path) => {
    // The first of them once the sidecar has seen the app's port open, a moment after the app is ready.
    await eventually(async () => (await ask(path)).status === 204);
  });

  test('tells its id and its components', async () => {
    expect(await (await ask('/v1.0/metadata')).json()).toMatchObject({
      id: 'chat-api',
      components: [{ name: 'taskflow-pubsub', type: 'pubsub.kafka', version: 'v1' }],
    });
  });

  test.each([
    ['state', 'GET', '/v1.0/state/any/key'],
    ['secrets', 'GET', '/v1.0/secrets/any/key'],
    ['shutdown', 'POST', '/v1.0/shutdown'],
  ])('has no %s', async (_name, method, path) => {
    expect((await ask(path, method)).status).toBe(404);
  });
});
