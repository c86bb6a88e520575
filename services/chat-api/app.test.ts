import { afterAll, describe, expect, test } from 'bun:test';
import { connect } from '#shared/db';
import { createHouse, newUser, refusalOf } from './fixture.ts';

const house = await createHouse();
afterAll(house.close);
const app = house.open();

test('GET /health stays where Phase IV had it', async () => {
  expect(await (await app.call('GET', '/health')).json()).toEqual({ status: 'healthy', version: '0.0.0' });
});

test('the API document groups every call, and says where those of the other services are', async () => {
  const answer = await app.call('GET', '/api/v1/openapi.json');
  const { info, paths } = (await answer.json()) as {
    info: { description: string };
    paths: Record<string, Record<string, { tags?: string[] }>>;
  };
  const tags = Object.values(paths).flatMap((methods) => Object.values(methods).flatMap(({ tags = ['none'] }) => tags));
  expect([...new Set(tags)]).toEqual(['Accounts', 'Settings', 'Tasks']);
  for (const name of ['notifications', 'audit', 'reminders'])
    expect(info.description).toContain(`/api/v1/${name}/openapi.json`);
});

test('a database that is away is 503 with Retry-After, and the service lives', async () => {
  const nowhere = connect('postgres://nobody@127.0.0.1:1/nothing', { name: 'test', max: 1 });
  const alone = house.open({}, nowhere);
  for (const [path, json] of [
    ['/api/v1/auth/login', newUser()],
    ['/api/v1/auth/signup', newUser()],
    ['/api/v1/auth/refresh', { refresh_token: 'x' }],
  ] as const) {
    const answer = await alone.call('POST', path, { json });
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(await refusalOf(answer)).toEqual({ status: 503, code: 'DATABASE_UNAVAILABLE' });
  }
  expect((await alone.call('GET', '/health/live')).status).toBe(200);
  expect((await alone.call('GET', '/health/ready')).status).toBe(503);
  await nowhere.end();
});

describe('settings', () => {
  test('hold the timezone, which null clears', async () => {
    const { token } = await app.signUp();
    const settings = (json?: unknown) =>
      app.call(json === undefined ? 'GET' : 'PUT', '/api/v1/settings', { token, json });
    expect(await (await settings()).json()).toEqual({ timezone: null });
    expect((await settings({ timezone: 'Asia/Tokyo' })).status).toBe(200);
    expect(await (await settings()).json()).toEqual({ timezone: 'Asia/Tokyo' });
    expect(await refusalOf(settings({ timezone: '+02:00' }))).toEqual({ status: 400, code: 'SETTINGS_ERROR' });
    await settings({ timezone: null });
    expect(await (await settings()).json()).toEqual({ timezone: null });
  });

  test('need a login', async () => {
    expect(await refusalOf(app.call('GET', '/api/v1/settings'))).toEqual({ status: 401, code: 'MISSING_AUTH_HEADER' });
  });
});

describe('EVENTS=off on the Phase V schema', () => {
  const phase4 = house.open({ EVENTS: 'off' });

  test('has the routes of Phase IV alone', async () => {
    const { token } = await phase4.signUp({ timezone: 'Europe/Berlin' });
    for (const path of ['/api/v1/settings', '/api/v1/recurrence/preview', '/api/v1/reminders/next']) {
      expect((await phase4.call('GET', path, { token })).status).toBe(404);
    }
    const one = await phase4.call('GET', '/api/v1/tasks/00000000-0000-7000-8000-000000000000', { token });
    expect([one.status, one.headers.get('allow')]).toEqual([405, 'PUT, DELETE, OPTIONS']);
  });

  test('refuses an account that is deleted while its session is remembered', async () => {
    const { id, token } = await phase4.signUp();
    const create = () => phase4.call('POST', '/api/v1/tasks', { token, json: { title: 'Pay' } });
    expect((await create()).status).toBe(201);
    await house.database.sql`delete from users where id = ${id}`;
    expect(await refusalOf(create())).toEqual({ status: 401, code: 'INVALID_TOKEN' });
  });

  test('still refuses a disabled account', async () => {
    const { id, email } = await app.signUp();
    await house.sql`update users set disabled_at = now() where id = ${id}`;
    const login = phase4.call('POST', '/api/v1/auth/login', { json: { ...newUser(), email } });
    expect(await refusalOf(login)).toEqual({ status: 401, code: 'INVALID_CREDENTIALS' });
  });

  test('keeps what Phase V knows of a task that it changes', async () => {
    const { token } = await app.signUp();
    const json = { title: 'Pay', due_date: '2030-01-01T09:00:00Z', priority: 'high' };
    const task = (await (await app.call('POST', '/api/v1/tasks', { token, json })).json()) as Record<string, unknown>;
    const path = `/api/v1/tasks/${String(task.id)}`;
    const changed = await phase4.call('PUT', path, { token, json: { title: 'Pay rent' } });
    expect(Object.keys((await changed.json()) as object)).toHaveLength(7);
    expect(await (await app.call('GET', path, { token })).json()).toMatchObject({
      title: 'Pay rent',
      priority: 'high',
    });
  });
});

describe('CORS', () => {
  const open = house.open({ CORS_ORIGINS: 'https://app.example, https://other.example' });
  const preflight = (at: typeof app, origin: string) =>
    at.call('OPTIONS', '/api/v1/tasks', { headers: { origin, 'access-control-request-method': 'POST' } });

  test('lets a listed origin call with credentials', async () => {
    const { headers, status } = await preflight(open, 'https://app.example');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(headers.get('access-control-max-age')).toBe('600');
    const error = await open.call('GET', '/api/v1/tasks', { headers: { origin: 'https://app.example' } });
    expect(error.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(error.headers.get('access-control-expose-headers')).toContain('X-Correlation-Id');
  });

  test('answers an OPTIONS that asks nothing about it as without it', async () => {
    const headers = { origin: 'https://app.example' };
    const answer = await open.call('OPTIONS', '/api/v1/tasks', { headers });
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'GET, HEAD, POST, OPTIONS']);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect((await open.call('OPTIONS', '/api/v1/nowhere', { headers })).status).toBe(404);
  });

  test.each(['https://evil.example', 'http://app.example', 'https://app.example.evil.example', 'null'])(
    'does not let %s',
    async (origin) => {
      expect((await preflight(open, origin)).headers.get('access-control-allow-origin')).toBeNull();
      expect((await preflight(app, origin)).headers.get('access-control-allow-origin')).toBeNull();
    },
  );
});
