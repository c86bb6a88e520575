import { afterAll, describe, expect, test } from 'bun:test';
import { bulkOf, statusOfAll } from '../../test/support/bulk.ts';
import { createDatabase } from '../../test/support/database.ts';
import { logIn } from '../../test/support/login.ts';
import { partsOf } from '../../test/support/parts.ts';
import { createApp } from './app.ts';
import { schema } from './config.ts';
import { startEdge } from './fixtures/edge.ts';
import { createReplica } from './fixtures/replica.ts';
import { createStory } from './fixtures/story.ts';

const HOUR = 3_600_000;
const [database, edge] = await Promise.all([createDatabase(), startEdge()]);
const replica = createReplica(database.url('reminder-service'), edge);
let sidecar: () => Promise<unknown> = async () => {};
const parts = partsOf('reminder-service', schema, { sql: replica.sql, changed: { APP_API_TOKEN: 'app-token' } });
const app = createApp(
  { ...parts, metrics: replica.metrics, ready: { ...parts.ready, sidecar: () => sidecar() } },
  { handle: replica.handleBatch },
);
afterAll(async () => {
  await replica.close();
  await edge.stop();
  await database.drop();
});

async function get(path: string, token?: string) {
  const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
  const response = await app.handle(new Request(`http://localhost${path}`, { headers }));
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const deliver = (route: string, event: { event_id: string }, token?: string) =>
  post(route, { specversion: '1.0', id: event.event_id, data: event }, token);

async function post(route: string, body: object, token = 'app-token') {
  const headers = { 'content-type': 'application/cloudevents+json', 'dapr-api-token': token };
  const request = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await app.handle(new Request(`http://localhost${route}`, request));
  return response.json() as Promise<{ status?: string; code?: string }>;
}

function newStory(user_id: string, hours: number) {
  const due_date = new Date(Date.now() + hours * HOUR).toISOString();
  return createStory({ user_id, title: `In ${hours}`, due_date, reminder_offset: 'PT1H', reminder_status: 'pending' });
}

describe('GET /api/v1/reminders/next', () => {
  test('answers what will remind the caller, the nearest first, and why', async () => {
    const { id: userId, token } = await logIn(database.sql);
    const [later, sooner, done] = [newStory(userId, 5), newStory(userId, 3), newStory(userId, 4)];
    for (const { created } of [later, sooner, done, newStory(crypto.randomUUID(), 2)])
      expect(await deliver('/events/created', created)).toEqual({ status: 'SUCCESS' });
    expect(await deliver('/events/completed', done.completed())).toEqual({ status: 'SUCCESS' });
    const { status, body } = await get('/api/v1/reminders/next', token);
    expect({ status, body }).toEqual({
      status: 200,
      body: [sooner, later].map(({ taskId, created: { task } }) => ({
        task_id: taskId,
        title: task.title,
        trigger_at: new Date(Date.parse(task.due_date ?? '') - HOUR).toISOString(),
        due_date: task.due_date,
        offset: 'PT1H',
        why: '1 hour before it is due.',
      })),
    });
    expect((await get('/api/v1/reminders/next?limit=1', token)).body).toHaveLength(1);
  });

  test('refuses a limit that is none', async () => {
    const { token } = await logIn(database.sql);
    expect(await get('/api/v1/reminders/next?limit=0', token)).toMatchObject({ status: 400 });
    expect(await get('/api/v1/reminders/next?limit=many', token)).toMatchObject({ status: 400 });
  });

  test('asks for a login, and of an API token for its scope', async () => {
    expect(await get('/api/v1/reminders/next')).toMatchObject({ status: 401, body: { code: 'MISSING_AUTH_HEADER' } });
    const [reader, other] = [
      await logIn(database.sql, { scopes: ['tasks:read'] }),
      await logIn(database.sql, { scopes: ['audit:read'] }),
    ];
    expect(await get('/api/v1/reminders/next', reader.token)).toMatchObject({ status: 200, body: [] });
    expect(await get('/api/v1/reminders/next', other.token)).toMatchObject({ status: 403 });
  });
});

describe('a delivery', () => {
  test('is refused without the token of the sidecar', async () => {
    expect(await deliver('/events/created', newStory(crypto.randomUUID(), 1).created, 'guess')).toMatchObject({
      code: 'INVALID_APP_TOKEN',
    });
  });

  test('that cannot be understood is a dead letter, alone of its batch', async () => {
    const poison = createStory({ due_date: 'soon', reminder_offset: 'PT1H', reminder_status: 'pending' }).created;
    const [before, behind] = [newStory(crypto.randomUUID(), 1), newStory(crypto.randomUUID(), 1)];
    const events = [before.created, poison, behind.created];
    const body = bulkOf(events.map((event) => ({ specversion: '1.0', id: event.event_id, data: event })));
    expect(statusOfAll((await post('/events/created', body)) as never, 3)).toBe('SUCCESS');
    const rows = await database.sql`
      select 1 from reminder_schedule where task_id in ${database.sql([before.taskId, behind.taskId])}`;
    expect(rows).toHaveLength(2);
    const [letter] = await database.sql`select app_id from dead_letters where event_id = ${poison.event_id}`;
    expect(letter?.app_id).toBe('reminder-service');
  });
});

describe('health', () => {
  test('is unready without a sidecar, alive all the same', async () => {
    expect(await get('/health/ready')).toMatchObject({ status: 200, body: { status: 'ready', version: '0.0.0' } });
    sidecar = () => Promise.reject(new Error('refused'));
    expect(await get('/health/ready')).toMatchObject({ status: 503, body: { checks: { sidecar: 'refused' } } });
    expect(await get('/health/live')).toMatchObject({ status: 200 });
    sidecar = async () => {};
  });

  test('counts what is promised', async () => {
    const text = await (await app.handle(new Request('http://localhost/metrics'))).text();
    for (const name of [
      'taskflow_reminders_pending',
      'taskflow_reminders_fired_total',
      'taskflow_reminder_lateness_seconds',
      'taskflow_reminders_unpublished',
    ])
      expect(text).toContain(`# TYPE ${name} `);
  });
});

test('the API describes itself', async () => {
  const { body } = await get('/api/v1/reminders/openapi.json');
  expect(Object.keys((body as { paths: object }).paths)).toEqual(['/api/v1/reminders/next']);
});
