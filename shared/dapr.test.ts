import { afterEach, describe, expect, test } from 'bun:test';
import { checkBroker, checkSidecar, createSidecar, InvokeError } from './dapr.ts';
import type { ReminderTriggered } from './events.ts';
import { createMetrics } from './metrics.ts';
import { PublishError } from './publish.ts';

const user = '018f2b4c-0000-7000-8000-000000000001';
const event: ReminderTriggered = {
  event_type: 'task.reminder.triggered',
  event_id: '018f2b4c-0000-7000-8000-000000000002',
  timestamp: '2026-11-24T10:00:00.000Z',
  actor: { type: 'service', id: 'reminder-service' },
  task_id: '018f2b4c-0000-7000-8000-000000000003',
  user_id: user,
  recipients: [user],
  task_version: 1,
  correlation_id: '018f2b4c-0000-7000-8000-000000000004',
  reminder_type: 'due_date_reminder',
  trigger_at: '2026-11-24T10:00:00.000Z',
  due_date: '2026-11-24T11:00:00.000Z',
  offset_triggered: 'PT1H',
  title: 'Water the plants',
};
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const alone = { event, traceparent: null };

let opened: Bun.Server<undefined>[] = [];
afterEach(async () => {
  for (const server of opened) await server.stop(true);
  opened = [];
});

/** Stands at the sidecar's HTTP edge. */
function edge(answer: (request: Request, url: URL) => Response | Promise<Response>) {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) => answer(request, new URL(request.url)),
  });
  opened.push(server);
  return server.port ?? 0;
}

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'succeeded',
    (error: unknown) => error,
  );

describe('publish', () => {
  test('counts what was not accepted, by what came of it', async () => {
    const metrics = createMetrics('test', { version: '0', commit: '0' });
    let status = 500;
    const port = edge(() => Response.json({ errorCode: 'ERR_PUBSUB', message: 'told to' }, { status }));
    const sidecar = await createSidecar({ port, apiToken: '', metrics });
    await sidecar.publish([alone]);
    await sidecar.publish([alone]);
    status = 413;
    await sidecar.publish([alone]);
    await sidecar.publish([{ ...alone, event: { ...event, task_version: 0 } }]);
    const text = await metrics.text();
    expect(text).toMatch(/^taskflow_publish_failures_total\{type="task\.reminder\.triggered",result="unknown".*\} 2$/m);
    expect(text).toMatch(/^taskflow_publish_failures_total\{type="task\.reminder\.triggered",result="refused".*\} 2$/m);
  });

  test('sends the event under its own id, keyed by its task, with trace and token', async () => {
    const seen: { path?: string; query?: object; token?: string | null; type?: string | null; body?: unknown } = {};
    const port = edge(async (request, url) => {
      Object.assign(seen, {
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        body: await request.json(),
      });
      Object.assign(seen, { token: request.headers.get('dapr-api-token'), type: request.headers.get('content-type') });
      return new Response(null, { status: 204 });
    });
    const sidecar = await createSidecar({ port, apiToken: 'secret' });
    expect(await sidecar.publish([{ event, traceparent }])).toEqual([null]);
    expect(seen).toEqual({
      path: '/v1.0/publish/taskflow-pubsub/taskflow.tasks.reminder-triggered',
      query: {
        'metadata.partitionKey': event.task_id,
        'metadata.cloudevent.id': event.event_id,
        'metadata.cloudevent.type': 'task.reminder.triggered',
        'metadata.cloudevent.source': 'reminder-service',
        'metadata.cloudevent.traceparent': traceparent,
      },
      token: 'secret',
      type: 'application/json',
      body: event,
    });
  });

  test('fails at once, to be tried again, when there is no sidecar', async () => {
    const port = edge(() => new Response());
    await opened[0]?.stop(true);
    const startedAt = performance.now();
    const [error] = await (await createSidecar({ port, apiToken: '' })).publish([alone]);
    expect(error).toBeInstanceOf(PublishError);
    expect(error).toMatchObject({ refused: false });
    expect(performance.now() - startedAt).toBeLessThan(2000); // the SDK alone waits 30 s
  });

  test.each([
    ['lacks a field', { ...event, title: undefined }, '/title'],
    ['holds a number as text', { ...event, task_version: '2' }, '/task_version'],
    ['is of no known type', { ...event, event_type: 'task.archived' }, '/event_type'],
  ])('refuses an event that %s, without asking the sidecar', async (_what, wrong, field) => {
    let calls = 0;
    const port = edge(() => new Response(null, { status: (calls += 1) && 204 }));
    const [error] = await (await createSidecar({ port, apiToken: '' })).publish([{ ...alone, event: wrong as never }]);
    expect(error).toMatchObject({ name: 'PublishError', refused: true, message: expect.stringContaining(field) });
    expect(calls).toBe(0);
  });

  test('gives up on a sidecar that does not answer', async () => {
    const port = edge(() => new Promise<Response>(() => {}));
    const [error] = await (await createSidecar({ port, apiToken: '', publishMs: 50 })).publish([alone]);
    expect(error).toMatchObject({ name: 'PublishError', refused: false, message: 'no answer within 50 ms' });
  });

  test.each([
    [400, true],
    [413, true],
    [401, false],
    [403, false],
    [404, false],
    [500, false],
  ])('answered %i: refused %p', async (status, refused) => {
    const port = edge(() => Response.json({ errorCode: 'ERR', message: 'because' }, { status }));
    const [error] = await (await createSidecar({ port, apiToken: '' })).publish([alone]);
    expect(error).toMatchObject({ name: 'PublishError', refused });
    expect(String(error)).toContain(String(status));
  });
});

describe('publish of several events', () => {
  const several = (count: number, more: Partial<ReminderTriggered> = {}) =>
    Array.from({ length: count }, () => {
      const [event_id, task_id] = [crypto.randomUUID(), crypto.randomUUID()];
      return { event: { ...event, event_id, task_id, ...more }, traceparent };
    });
  const outcomes = (errors: (PublishError | null)[]) =>
    errors.map((error) => (error === null ? 'sent' : error.refused ? 'refused' : 'unknown'));
  const failing = (failedEntries: unknown) =>
    Response.json({ failedEntries, errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' }, { status: 500 });

  test('is one call for those of a topic: each under its own id, keyed by its task, with trace and token', async () => {
    const seen: { path?: string; token?: string | null; type?: string | null; body?: unknown } = {};
    const port = edge(async (request, { pathname: path }) => {
      Object.assign(seen, { path, token: request.headers.get('dapr-api-token'), body: await request.json() });
      Object.assign(seen, { type: request.headers.get('content-type') });
      return new Response(null, { status: 204 });
    });
    const given = several(2);
    const sidecar = await createSidecar({ port, apiToken: 'secret' });
    expect(await sidecar.publish(given)).toEqual([null, null]);
    expect(seen).toEqual({
      path: '/v1.0/publish/bulk/taskflow-pubsub/taskflow.tasks.reminder-triggered',
      token: 'secret',
      type: 'application/json',
      body: given.map(({ event }, i) => ({
        entryId: String(i),
        event,
        contentType: 'application/json',
        metadata: {
          partitionKey: event.task_id,
          'cloudevent.id': event.event_id,
          'cloudevent.type': 'task.reminder.triggered',
          'cloudevent.source': 'reminder-service',
          'cloudevent.traceparent': traceparent,
        },
      })),
    });
  });

  test('is of at most 100 in a call, and of less than 1 MiB', async () => {
    const calls: { events: number; bytes: number }[] = [];
    const port = edge(async (request) => {
      const body = await request.text();
      calls.push({ events: (JSON.parse(body) as unknown[]).length, bytes: Buffer.byteLength(body) });
      return new Response(null, { status: 204 });
    });
    const sidecar = await createSidecar({ port, apiToken: '' });
    await sidecar.publish(several(250));
    expect(calls.map(({ events }) => events).toSorted()).toEqual([100, 100, 50]);
    calls.length = 0;
    await sidecar.publish(several(100, { recipients: Array(500).fill(user) }));
    expect(calls.reduce((sum, { events }) => sum + events, 0)).toBe(100);
    expect(Math.max(...calls.map(({ bytes }) => bytes))).toBeLessThan(1024 * 1024);
  });

  test('tells of each what came of it', async () => {
    let calls = 0;
    const port = edge(() => {
      calls += 1;
      return failing([{ entryId: '2', error: 'kafka: no' }]);
    });
    const given = several(4);
    const invalid = { ...alone, event: { ...event, task_version: '2' as never } };
    const errors = await (await createSidecar({ port, apiToken: '' })).publish([invalid, ...given]);
    expect(outcomes(errors)).toEqual(['refused', 'sent', 'unknown', 'sent', 'sent']);
    expect(String(errors[2])).toContain('kafka: no');
    expect(calls).toBe(1);
  });

  test.each<[string, () => Response | Promise<Response>]>([
    ['names none that failed', () => failing([])],
    ['names one that was not sent', () => failing([{ entryId: '0' }, { entryId: 'another' }])],
    ['lists no names', () => failing('all')],
    ['lists nothing', () => failing([null])],
    ['tells of no entries', () => Response.json({ errorCode: 'ERR_PUBSUB_NOT_FOUND' }, { status: 404 })],
    ['is no JSON', () => new Response('no', { status: 502 })],
    ['does not come', () => new Promise(() => {})],
  ])('leaves all of it unknown when the answer %s', async (_what, answer) => {
    const sidecar = await createSidecar({ port: edge(answer), apiToken: '', publishMs: 300 });
    expect(outcomes(await sidecar.publish(several(3)))).toEqual(['unknown', 'unknown', 'unknown']);
  });

  test.each([400, 413])('goes on one by one when it is answered %i', async (status) => {
    const given = several(3);
    const port = edge(async (request, { pathname }) => {
      const isBad = (await request.text()).includes(given[1]?.event.event_id ?? '');
      return new Response(null, { status: pathname.includes('/bulk/') || isBad ? status : 204 });
    });
    const errors = await (await createSidecar({ port, apiToken: '' })).publish(given);
    expect(outcomes(errors)).toEqual(['sent', 'refused', 'sent']);
  });

  test('of nothing makes no call', async () => {
    let calls = 0;
    const port = edge(() => new Response(null, { status: (calls += 1) && 204 }));
    expect(await (await createSidecar({ port, apiToken: '' })).publish([])).toEqual([]);
    expect(calls).toBe(0);
  });
});

describe('invoke', () => {
  test('passes path, body and headers, and returns the answer', async () => {
    const port = edge(async (request, url) =>
      Response.json({ path: url.pathname, body: await request.json(), auth: request.headers.get('authorization') }),
    );
    const sidecar = await createSidecar({ port, apiToken: '' });
    expect(
      await sidecar.invoke('chat-api', 'api/v1/tasks/batch', { tasks: [] }, { authorization: 'Bearer x' }),
    ).toEqual({
      path: '/v1.0/invoke/chat-api/method/api/v1/tasks/batch',
      body: { tasks: [] },
      auth: 'Bearer x',
    });
  });

  test('throws with the status of a refusal', async () => {
    const port = edge(() => Response.json({ code: 'FORBIDDEN' }, { status: 403 }));
    const error = await failure((await createSidecar({ port, apiToken: '' })).invoke('chat-api', 'x', {}, {}));
    expect(error).toBeInstanceOf(InvokeError);
    expect(error).toMatchObject({ status: 403 });
  });
});

describe('health', () => {
  test('the sidecar is up when its outbound side is', async () => {
    const port = edge(
      (_request, { pathname }) => new Response(null, { status: pathname === '/v1.0/healthz/outbound' ? 204 : 500 }),
    );
    await checkSidecar({ port, apiToken: '' });
    await expect(checkBroker({ port, apiToken: '' })).rejects.toThrow();
  });

  test('a missing component is told, though the sidecar calls itself healthy', async () => {
    const port = edge(() => Response.json({ id: 'x', components: [{ name: 'another' }] }));
    await expect(checkBroker({ port, apiToken: '' })).rejects.toThrow('taskflow-pubsub');
  });
});
