import { afterAll, describe, expect, test } from 'bun:test';
import type { Scope } from '#shared/sessions';
import { apps } from '../../services/local/machine/apps.ts';
import { startApps } from '../support/apps.ts';
import { createDatabase } from '../support/database.ts';
import { openSession } from '../support/login.ts';
import { countedBody } from '../support/unread.ts';

// Who may call what: every route of every service has a row here. A body is read of nobody who is answered by 401.

/**
 * `nobody` is whoever shows nothing, garbage, an expired or a revoked access token, a revoked API token, or the service
 * token without a sidecar. `user` and the holders of an API token of one scope ask for what is their own, `other` and
 * `admin` for what is somebody else's. `service` is the processor through its sidecar, `sidecar` that alone.
 */
const table = `
                                               nobody user other admin  t:r  t:w  n:r  a:r service sidecar
GET     /health/live                              200  200   200   200  200  200  200  200     200     200
GET     /health/ready                             200  200   200   200  200  200  200  200     200     200
OPTIONS /health/ready                             200  200   200   200  200  200  200  200     200     200
GET     /metrics                                  200  200   200   200  200  200  200  200     200     200
GET     /health                                   200  200   200   200  200  200  200  200     200     200
GET     /api/v1/openapi.json                      200  200   200   200  200  200  200  200     200     200
GET     /api/v1/health                            200  200   200   200  200  200  200  200     200     200
POST    /api/v1/auth/signup                       201  201   201   201  201  201  201  201     201     201
POST    /api/v1/auth/login                        200  200   200   200  200  200  200  200     200     200
POST    /api/v1/auth/refresh                      401  401   401   401  401  401  401  401     401     401
POST    /api/v1/auth/password/reset               400  400   400   400  400  400  400  400     400     400
GET     /api/v1/auth/me                           401  200   200   200  200  200  200  200     403     401
POST    /api/v1/auth/logout                       401  200   200   200  403  403  403  403     403     401
PUT     /api/v1/auth/password                     401  200   200   200  403  403  403  403     403     401
GET     /api/v1/auth/sessions                     401  200   200   200  403  403  403  403     403     401
DELETE  /api/v1/auth/sessions/:id                 401  404   404   404  403  403  403  403     403     401
GET     /api/v1/auth/tokens                       401  200   200   200  403  403  403  403     403     401
POST    /api/v1/auth/tokens                       401  201   201   201  403  403  403  403     403     401
DELETE  /api/v1/auth/tokens/:id                   401  404   404   404  403  403  403  403     403     401
GET     /api/v1/settings                          401  200   200   200  200  403  403  403     403     401
PUT     /api/v1/settings                          401  200   200   200  403  200  403  403     403     401
GET     /api/v1/tasks                             401  200   200   200  200  403  403  403     403     401
GET     /api/v1/tasks/:id                         401  200   403   403  200  403  403  403     403     401
POST    /api/v1/tasks                             401  201   201   201  403  201  403  403     403     401
POST    /api/v1/tasks/batch                       401  200   200   200  403  200  403  403     200     401
PUT     /api/v1/tasks/:id                         401  200   403   403  403  200  403  403     403     401
PATCH   /api/v1/tasks/:id                         401  200   403   403  403  200  403  403     403     401
DELETE  /api/v1/tasks/:id                         401  204   403   403  403  204  403  403     403     401
POST    /api/v1/tasks/:id/acknowledge             401  200   403   403  403  200  403  403     403     401
POST    /api/v1/tasks/:id/snooze                  401  200   403   403  403  200  403  403     403     401
GET     /api/v1/tasks/:id/occurrences             401  409   403   403  409  403  403  403     403     401
POST    /api/v1/recurrence/preview                401  200   200   200  200  403  403  403     403     401
POST    /events/reminder-triggered                401  401   401   401  401  401  401  401     200     200
POST    /events/dead-letter                       401  401   401   401  401  401  401  401     200     200
POST    /events/replay                            401  401   401   401  401  401  401  401     200     200
POST    /events/*                                 401  401   401   401  401  401  401  401     500     500
GET     /api/v1/notifications/openapi.json        200  200   200   200  200  200  200  200     200     200
POST    /events/created                           401  401   401   401  401  401  401  401     200     200
POST    /events/updated                           401  401   401   401  401  401  401  401     200     200
POST    /events/completed                         401  401   401   401  401  401  401  401     200     200
POST    /events/deleted                           401  401   401   401  401  401  401  401     200     200
GET     /api/v1/notifications/stream              401  200   200   200  403  403  200  403     401     401
GET     /api/v1/notifications/preferences         401  200   200   200  403  403  200  403     401     401
PUT     /api/v1/notifications/preferences         401  200   200   200  403  403  403  403     401     401
GET     /api/v1/notifications                     401  200   200   200  403  403  200  403     401     401
POST    /api/v1/notifications/:id/read            401  200   200   200  403  403  403  403     401     401
POST    /api/v1/notifications/read-all            401  200   200   200  403  403  403  403     401     401
GET     /api/v1/reminders/openapi.json            200  200   200   200  200  200  200  200     200     200
GET     /api/v1/reminders/next                    401  200   200   200  200  403  403  403     401     401
GET     /api/v1/audit/openapi.json                200  200   200   200  200  200  200  200     200     200
GET     /api/v1/audit/tasks/:task_id              401  200   403   200  403  403  403  200     401     401
GET     /api/v1/audit/events                      401  403   403   200  403  403  403  403     401     401
`;

type Row = { route: string; expected: number[] };
const rows: Row[] = table
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.trim().split(/\s+/))
  .map(([method, path, ...statuses]) => ({ route: `${method} ${path}`, expected: statuses.map(Number) }));
const columns = ['nobody', 'user', 'other', 'admin', 't:r', 't:w', 'n:r', 'a:r', 'service', 'sidecar'] as const;
type Column = (typeof columns)[number];
const scopes: Partial<Record<Column, Scope>> = {
  't:r': 'tasks:read',
  't:w': 'tasks:write',
  'n:r': 'notifications:read',
  'a:r': 'audit:read',
};

/** What makes a call one that could succeed, beside who makes it. */
const bodies: Record<string, (email: string) => object> = {
  '/auth/signup': () => ({ email: `${crypto.randomUUID()}@example.com`, password: PASSWORD }),
  '/auth/login': (email) => ({ email, password: PASSWORD }),
  '/auth/password': () => ({ current: PASSWORD, new: 'Rainy-Day-42' }),
  '/auth/password/reset': () => ({ code: 'a code that nobody was given', new: 'Rainy-Day-42' }),
  '/auth/tokens': () => ({ name: 'script', scopes: ['tasks:read'] }),
  '/settings': () => ({ timezone: 'Europe/Berlin' }),
  '/tasks/batch': () => ({ tasks: [{ title: 'x' }] }),
  '/recurrence/preview': () => ({ recurrence_pattern: 'daily:', due_date: '2026-12-01' }),
  '/notifications/preferences': () => ({ level: 'all' }),
};
/** For whoever has no login yet: their bodies are read of everybody. */
const forStrangers = /^POST \/api\/v1\/auth\/(signup|login|refresh|password\/reset)$/;

const PASSWORD = 'Sunny-Day-42';
const passwordHash = await Bun.password.hash(PASSWORD, { algorithm: 'bcrypt', cost: 4 });
const [SERVICE_TOKEN, APP_TOKEN] = ['service', 'app'].map((name) => name.padEnd(32, '.')) as [string, string];

const database = await createDatabase();
const { sql } = database;
await sql`select audit_add_month(current_date), audit_add_month((current_date + interval '1 month')::date)`;
const tokens = { SERVICE_TOKEN, APP_API_TOKEN: APP_TOKEN };
const running = startApps({ ...tokens }, database);
const phase4 = startApps({ ...tokens, EVENTS: 'off' }, database);
afterAll(async () => {
  await Promise.all([running.stop(), phase4.stop()]);
  await database.drop();
});

async function person({ role = null as string | null } = {}) {
  const [id, email] = [crypto.randomUUID(), `${crypto.randomUUID()}@example.com`];
  await sql`insert into users (id, email, password_hash, role) values (${id}, ${email}, ${passwordHash}, ${role})`;
  const [task] = await sql<{ id: string }[]>`
    insert into tasks (id, user_id, title, completed, due_date, reminder_offset, reminder_status)
    values (gen_random_uuid(), ${id}, 'x', false, now() + interval '1 day', '1 hour', 'sent') returning id`;
  await sql`
    insert into task_events (event_id, event_type, task_id, user_id, timestamp, payload, payload_mac, correlation_id, partition_key)
    values (gen_random_uuid(), 'task.created', ${task?.id ?? ''}, ${id}, now(), '{}', '', gen_random_uuid(), current_date)`;
  await sql`
    insert into notifications (user_id, seq, event_id, notify, type, payload)
    values (${id}, 1, gen_random_uuid(), true, 'task.created', '{}')`;
  return { id, email, taskId: task?.id ?? '' };
}
type Person = Awaited<ReturnType<typeof person>>;

type Headers = Record<string, string>;
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

/** What each that this column stands for shows, and whose things they ask for. */
async function callers(column: Column): Promise<{ shows: Headers; owner: Person }[]> {
  const holder = await person({ role: column === 'admin' ? 'admin' : null });
  const scope = scopes[column];
  if (scope) return [{ shows: (await openSession(sql, holder.id, { scopes: [scope] })).headers, owner: holder }];
  switch (column) {
    case 'service':
      return [{ shows: { ...bearer(SERVICE_TOKEN), 'dapr-api-token': APP_TOKEN }, owner: holder }];
    case 'sidecar':
      return [{ shows: { 'dapr-api-token': APP_TOKEN }, owner: holder }];
    case 'nobody':
      return (await strangers(holder)).map((shows) => ({ shows, owner: holder }));
    default:
      return [
        { shows: (await openSession(sql, holder.id)).headers, owner: column === 'user' ? holder : await person() },
      ];
  }
}

async function strangers({ id }: Person): Promise<Headers[]> {
  const ended = await Promise.all([
    openSession(sql, id, { expiresInMs: -60_000 }),
    openSession(sql, id, { isRevoked: true }),
    openSession(sql, id, { isRevoked: true, scopes: ['tasks:read'] }),
  ]);
  const shown = ['garbage', ...ended.map(({ token }) => token), SERVICE_TOKEN];
  return [{}, { 'dapr-api-token': 'guessed' }, ...shown.map(bearer)];
}

/** Calls a route as everybody of a column. @returns the statuses, and what was read of the bodies of each */
async function call(app: App, route: string, column: Column) {
  const [method = '', path = ''] = route.split(' ');
  return Promise.all(
    (await callers(column)).map(async ({ shows, owner }) => {
      const id = path.includes('/notifications/')
        ? '1'
        : path.includes('/tokens/')
          ? crypto.randomUUID()
          : owner.taskId;
      const fields = bodies[path.replace('/api/v1', '')]?.(owner.email) ?? { title: 'x', for: 'PT1H' };
      const body = method === 'GET' || method === 'OPTIONS' ? null : countedBody(JSON.stringify(fields));
      const request = new Request(`http://localhost${path.replace(/:\w+/, id)}`, {
        method,
        headers: { ...shows, 'content-type': 'application/json' },
        body: body?.stream ?? null,
      });
      const answer = await app.handle(request);
      await answer.body?.cancel();
      return { status: answer.status, isRead: (body?.pulls ?? 0) > 0, hasBody: body !== null };
    }),
  );
}

describe.each(apps.map(({ appId }) => appId))('%s', (appId) => {
  const app = running.apps[appId];
  const own = routesOf(app);

  test('has a row for each of its routes', () => {
    expect(own.filter((route) => !rows.some((row) => row.route === route))).toEqual([]);
  });

  test.each(rows.filter(({ route }) => own.includes(route)))('$route', (row) => requireRow(app, row));
});

describe('chat-api as Phase IV', () => {
  const app = phase4.apps['chat-api'];
  const tasks = rows.filter(({ route }) => routesOf(app).includes(route) && route.includes('/tasks'));

  test.each(tasks)('$route', (row) => requireRow(app, row));
});

test('every row is of a route', () => {
  const served = Object.values(running.apps).flatMap(routesOf);
  expect(rows.map(({ route }) => route).filter((route) => !served.includes(route))).toEqual([]);
});

type App = { routes: { method: string; path: string }[]; handle(request: Request): Promise<Response> };

function routesOf({ routes }: Pick<App, 'routes'>): string[] {
  return routes.map(({ method, path }) => `${method} ${path}`);
}

async function requireRow(app: App, { route, expected }: Row): Promise<void> {
  for (const [i, column] of columns.entries()) {
    for (const { status, isRead, hasBody } of await call(app, route, column)) {
      expect([column, status]).toEqual([column, expected[i] ?? 0]);
      const isRefused = status === 401 && !forStrangers.test(route);
      expect([column, isRead]).toEqual([column, hasBody && !isRefused]);
    }
  }
}
