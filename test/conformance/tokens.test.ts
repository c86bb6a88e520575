import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { PUBSUB } from '#shared/events';
import { CREATED, startToys, tokens, type Toys } from './fixtures/toys.ts';

// Who may speak to whom: the app shows its sidecar one token, the sidecar shows the app another.

let toys: Toys;
beforeAll(async () => {
  toys = await startToys(['chat-api', 'recurring-task-processor', 'audit-logger']);
});
afterAll(() => toys?.stop());

const batch = '/v1.0/invoke/chat-api/method/api/v1/tasks/batch';

describe.each([
  ['without a token', {}],
  ['with an empty token', { 'dapr-api-token': '' }],
  ['with a wrong token', { 'dapr-api-token': 'wrong' }],
  ['with the token of the other direction', { 'dapr-api-token': tokens.APP_API_TOKEN }],
])('a call %s', (_what, headers) => {
  const ask = (method: string, path: string) =>
    toys.ask('recurring-task-processor', path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(method === 'POST' && { body: '{}' }),
    });

  test.each([
    ['publishing', 'POST', `/v1.0/publish/${PUBSUB}/${CREATED}`],
    ['publishing a bulk', 'POST', `/v1.0/publish/bulk/${PUBSUB}/${CREATED}`],
    ['an invocation', 'POST', batch],
    ['metadata', 'GET', '/v1.0/metadata'],
    ['what there is not', 'GET', '/v1.0/state/any/key'],
  ])('is refused: %s', async (_which, method, path) => {
    const answer = await ask(method, path);
    expect([answer.status, await answer.text()]).toEqual([401, 'invalid api token\n']);
  });

  test.each(['/v1.0/healthz', '/v1.0/healthz/outbound'])('is answered at %s', async (path) => {
    expect((await ask('GET', path)).status).toBe(204);
  });
});

describe('the token of the app', () => {
  test('comes with each delivery, and the one of the sidecar does not', async () => {
    const id = await toys.publish();
    const [delivery] = await toys.app('audit-logger').receives(id);
    expect(delivery?.headers['dapr-api-token']).toBe(tokens.APP_API_TOKEN);
    expect(JSON.stringify(delivery)).not.toContain(tokens.DAPR_API_TOKEN);
  });

  test('comes with an invocation, and the one of the sidecar does not', async () => {
    toys.app('chat-api').invoked = (request) => Response.json(request.headers.toJSON());
    const headers = (await (await toys.post('recurring-task-processor', batch, {})).json()) as Record<string, string>;
    expect(headers['dapr-api-token']).toBe(tokens.APP_API_TOKEN);
    expect(JSON.stringify(headers)).not.toContain(tokens.DAPR_API_TOKEN);
  });

  test('refused by the app: the event comes again', async () => {
    const consumer = toys.app('audit-logger');
    const id = consumer.willAnswer([() => new Response('no', { status: 401 })]);
    await toys.publish({ id });
    await consumer.receives(id, { count: 2 });
    await toys.caughtUp('audit-logger');
    expect(consumer.of(id)).toHaveLength(2);
  });
});
