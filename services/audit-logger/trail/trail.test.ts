import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { said } from '../../../test/support/raw.ts';
import { anEvent, setUp } from '../fixture.ts';
import { addMonth } from '../partitions.ts';
import { cursorOf } from './cursor.ts';
import type { AuditEvent } from './model.ts';
import { readPages } from './service.ts';

const { app, sql, deliver, person, close } = await setUp();
const [admin, owner, stranger] = await Promise.all([person({ role: 'admin' }), person(), person()]);
beforeAll(() => addMonth(sql, '2026-11-01'));
afterAll(close);

const listed = async (answer: Response) => (await answer.json()) as AuditEvent[];
const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code];

/** Stores `count` events, a second apart unless `everySeconds` says otherwise. */
async function store(count: number, changes: object = {}, everySeconds = 1) {
  const events = Array.from({ length: count }, (_, i) =>
    anEvent({ timestamp: new Date(Date.UTC(2026, 10, 24, 10, 0, i * everySeconds)).toISOString(), ...changes }),
  );
  await Promise.all(events.map(deliver));
  return events;
}

describe('GET /audit/tasks/:task_id', () => {
  test('gives the owner the trail of a task, oldest first', async () => {
    const task_id = crypto.randomUUID();
    const events = await store(3, { task_id, user_id: owner.id });
    const [first, ...others] = await listed(await owner.get(`/tasks/${task_id}`));
    const { event_id, event_type, user_id, timestamp, correlation_id } = events[0] ?? anEvent();
    expect(first).toEqual({
      ...{ event_id, event_type, task_id, user_id, timestamp, correlation_id, payload: events[0] },
      stored_at: expect.any(String),
    });
    expect(others.map((event) => event.event_id)).toEqual(events.slice(1).map((event) => event.event_id));
  });

  test('gives an admin the trail of any task', async () => {
    const task_id = crypto.randomUUID();
    await store(2, { task_id, user_id: owner.id });
    expect(await listed(await admin.get(`/tasks/${task_id}`))).toHaveLength(2);
  });

  test('refuses the task of another, also as an export', async () => {
    const task_id = crypto.randomUUID();
    await store(1, { task_id, user_id: owner.id });
    expect(await codeOf(await stranger.get(`/tasks/${task_id}`))).toEqual([403, 'FORBIDDEN']);
    const asExport = await stranger.get(`/tasks/${task_id}`, { accept: 'application/x-ndjson' });
    expect(await codeOf(asExport)).toEqual([403, 'FORBIDDEN']);
  });

  test('gives each former owner their own events only', async () => {
    const task_id = crypto.randomUUID();
    await store(1, { task_id, user_id: owner.id });
    await store(1, { task_id, user_id: stranger.id });
    const events = await listed(await stranger.get(`/tasks/${task_id}`));
    expect(events.map((event) => event.user_id)).toEqual([stranger.id]);
  });

  test('is empty for a task whose events are still on the way, 404 for what is no id', async () => {
    expect(await listed(await owner.get(`/tasks/${crypto.randomUUID()}`))).toEqual([]);
    expect(await codeOf(await owner.get('/tasks/42'))).toEqual([404, 'TASK_NOT_FOUND']);
  });

  test('needs a login, and of an API token the scope audit:read', async () => {
    const anonymous = await app.handle(new Request(`http://localhost/api/v1/audit/tasks/${crypto.randomUUID()}`));
    expect(await codeOf(anonymous)).toEqual([401, 'MISSING_AUTH_HEADER']);
    const [may, mayNot] = [await person({ scopes: ['audit:read'] }), await person({ scopes: ['tasks:read'] })];
    expect((await may.get(`/tasks/${crypto.randomUUID()}`)).status).toBe(200);
    expect(await codeOf(await mayNot.get(`/tasks/${crypto.randomUUID()}`))).toEqual([403, 'INSUFFICIENT_SCOPE']);
  });
});

describe('GET /audit/events', () => {
  test('is for admins only', async () => {
    expect((await admin.get('/events')).status).toBe(200);
    expect(await codeOf(await owner.get('/events'))).toEqual([403, 'ADMIN_REQUIRED']);
  });

  test('filters by user, type, correlation and time, newest first', async () => {
    const [user_id, correlation_id] = [crypto.randomUUID(), crypto.randomUUID()];
    const [a, b, c] = (await store(3, { user_id })).map((event) => event.event_id);
    const [d] = (await store(1, { user_id, correlation_id, event_type: 'task.shared' })).map((event) => event.event_id);
    const found = async (query: string) =>
      (await listed(await admin.get(`/events?user_id=${user_id}&${query}`))).map((event) => event.event_id);

    expect((await found('')).toSorted()).toEqual([a, b, c, d].toSorted() as string[]);
    expect(await found('type=task.archived')).toEqual([c, b, a] as string[]);
    expect(await found('type=task.shared')).toEqual([d] as string[]);
    expect(await found(`correlation_id=${correlation_id}`)).toEqual([d] as string[]);
    expect(await found('from=2026-11-24T10:00:01Z&to=2026-11-24T10:00:02Z')).toEqual([b] as string[]);
    expect(await found('from=2026-11-25')).toEqual([]);
    expect(await found('type=task.archived&from=2026-11-24&to=2026-11-25')).toEqual([c, b, a] as string[]);
    expect(await found('from=2026-11-24T12:00:01%2B02:00&to=2026-11-24T05:00:02-05')).toEqual([b] as string[]);
  });

  test.each(['user_id=42', 'from=yesterday', 'limit=0', 'limit=1001', 'cursor=abc', `cursor=${btoa('2026 x')}`])(
    'refuses %s',
    async (query) => {
      expect((await admin.get(`/events?${query}`)).status).toBe(400);
    },
  );

  test.each([
    `user_id=urn:uuid:${crypto.randomUUID()}`,
    `correlation_id=urn:uuid:${crypto.randomUUID()}`,
    'type=%00',
    'from=0000-01-01',
    'from=2026-02-30',
    'to=2026-02-30T00:00:00Z',
    'from=2026-12-01%20(x)',
    'to=2026-12-01T09:00:00',
    'from=2026-12-01T24:00:00Z',
    'to=',
    'to=9999-12-31T23:59:59-14:00',
    ...['0000-01-01T00:00:00.000Z', '2026-02-30T00:00:00.000Z', '2026-01-01T24:00:00.000Z'].map(
      (timestamp) => `cursor=${cursorOf({ timestamp, event_id: crypto.randomUUID() })}`,
    ),
  ])('refuses %s, which is nothing that Postgres knows, naming it', async (query) => {
    const answer = await admin.get(`/events?${query}`);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { message: string }).message).toStartWith(`${query.split('=')[0]}: `);
  });

  test.each(['from', 'to'])('says of %s how the + of an offset is written', async (field) => {
    const answer = await admin.get(`/events?${field}=2026-12-01T09:00:00+01:00`);
    const { code, message } = (await answer.json()) as { code: string; message: string };
    expect([answer.status, code]).toEqual([400, 'VALIDATION_ERROR']);
    expect(message).toStartWith(`${field}: `);
    expect(message).toContain('%2B');
  });

  test.each([1, 0])('comes in pages without gap or repetition, events %d seconds apart', async (everySeconds) => {
    const user_id = crypto.randomUUID();
    const events = await store(10, { user_id }, everySeconds);
    const ids = [];
    let path: string | undefined = `/events?user_id=${user_id}&limit=3`;
    let pages = 0;
    while (path !== undefined && pages++ < 10) {
      const answer: Response = await admin.get(path);
      ids.push(...(await listed(answer)).map((event) => event.event_id));
      path = /^<\/api\/v1\/audit(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(pages).toBe(4);
    expect(ids).toHaveLength(10);
    expect(new Set(ids)).toEqual(new Set(events.map((event) => event.event_id)));
  });
});

describe('an export', () => {
  test.each(['', '/'])(
    'HEAD of /events%s gives the headers of an export and reads no further than its first page',
    async (slash) => {
      app.listen({ hostname: '127.0.0.1', port: 0 });
      try {
        const line = `HEAD /api/v1/audit/events${slash}?user_id=${owner.id} HTTP/1.1`;
        const headers = [`Authorization: Bearer ${admin.bearer}`, 'Accept: application/x-ndjson', 'Host: localhost'];
        const text = [line, ...headers, 'Connection: close', '', ''].join('\r\n');
        const answer = (await said(app.server?.port ?? 0, text)).toLowerCase();
        expect(answer).toMatch(/^http\/1.1 200 [^]*content-type: application\/x-ndjson[^]*transfer-encoding: chunked/);
        expect(answer).not.toContain('content-length');
      } finally {
        await app.stop(true);
      }
    },
  );

  test('has every event, one a line, and the correlation id of the answer', async () => {
    const user_id = crypto.randomUUID();
    const events = await store(1001, { user_id });
    const answer = await admin.get(`/events?user_id=${user_id.toUpperCase()}`, { accept: 'Application/X-NDJSON' });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    expect(answer.headers.get('x-correlation-id')).not.toBeNull();
    const lines = (await answer.text()).split('\n');
    expect(lines.pop()).toBe('');
    const ids = lines.map((line) => (JSON.parse(line) as AuditEvent).event_id);
    expect(ids).toEqual(events.map((event) => event.event_id).toReversed());
  });

  test('is asked for by the address, too, where a browser is to keep it: a link has no Accept', async () => {
    const [user_id, task_id] = [crypto.randomUUID(), crypto.randomUUID()];
    await store(2, { user_id, task_id });
    for (const path of [`/events?user_id=${user_id}&format=ndjson`, `/tasks/${task_id}?format=ndjson`]) {
      const answer = await admin.get(path, { accept: 'text/html,*/*;q=0.8' });
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
      expect((await answer.text()).trim().split('\n')).toHaveLength(2);
    }
    expect(await codeOf(await admin.get('/events?format=csv'))).toEqual([400, 'VALIDATION_ERROR']);
    expect(await codeOf(await owner.get('/events?format=ndjson'))).toEqual([403, 'ADMIN_REQUIRED']);
  });

  test('of nothing is an empty answer', async () => {
    const answer = await admin.get(`/events?user_id=${crypto.randomUUID()}`, { accept: 'application/x-ndjson' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  /** Events whose payloads of 100 kB go by threes into a part. */
  const storeLong = (count: number, changes: object) =>
    store(count, { note: 'x'.repeat(100_000), ...changes }).then((events) => events.map(({ event_id }) => event_id));

  test('reads a page when the one before was taken, none of which is long, and goes on where a cursor ends', async () => {
    const user_id = crypto.randomUUID();
    const events = await storeLong(8, { user_id });
    const pages = readPages(sql, { userId: user_id, order: 'oldest first', after: null });
    const first = (await pages.next()).value ?? [];
    const [late] = await store(1, { user_id, timestamp: '2026-11-24T11:00:00.000Z' });
    const rest = await Array.fromAsync(pages);
    expect([first.length, ...rest.map(({ length }) => length)]).toEqual([3, 3, 3]);
    const ids = [first, ...rest].flat().map((event) => event.event_id);
    expect(ids).toEqual([...events, late?.event_id ?? '']);

    const cursor = cursorOf(first[1] ?? { timestamp: '', event_id: '' });
    const before = await admin.get(`/events?user_id=${user_id}&cursor=${cursor}`, { accept: 'application/x-ndjson' });
    expect((await before.text()).trim().split('\n')).toHaveLength(1);
  });

  test('holds its pages one at a time, of one user at most 4 at once', async () => {
    const user_id = crypto.randomUUID();
    await storeLong(8, { user_id });
    const open = () => admin.get(`/events?user_id=${user_id}`, { accept: 'application/x-ndjson' });
    const exports = await Promise.all([open(), open(), open(), open()]);
    expect(await codeOf(await open())).toEqual([429, 'TOO_MANY_LONG_ANSWERS']);
    await exports[0]?.body?.cancel();
    const parts = await Array.fromAsync((await open()).body ?? [], (part: Uint8Array) => part.length);
    expect(parts.map((bytes) => Math.round(bytes / 100_000))).toEqual([3, 3, 2]);
    await Promise.all(exports.slice(1).map((answer) => answer.body?.cancel()));
  });

  test('asks for no more rows than twice what fitted before, since it must unpack them to measure them', async () => {
    const user_id = crypto.randomUUID();
    await storeLong(12, { user_id });
    await store(300, { user_id, timestamp: '2026-11-25T10:00:00.000Z' });
    const limits: number[] = [];
    const counted = new Proxy(sql, {
      apply(target, self, [text, ...values]: [TemplateStringsArray, ...unknown[]]) {
        if (/ limit $/.test(text.at(-2) ?? '')) limits.push(Number(values.at(-1)) - 1);
        return Reflect.apply(target, self, [text, ...values]);
      },
    });
    const pages = readPages(counted, { userId: user_id, order: 'oldest first', after: null });
    const found = (await Array.fromAsync(pages)).map(({ length }) => length);
    expect([limits, found]).toEqual([
      [100, 6, 6, 6, 6, 12, 24, 48, 96, 192],
      [3, 3, 3, 3, 6, 12, 24, 48, 96, 114],
    ]);
  });
});

test('a page holds 1 MiB of payloads at the most, and its Link leads on', async () => {
  const user_id = crypto.randomUUID();
  const events = await store(24, { user_id, note: 'x'.repeat(100_000) });
  const ids: string[] = [];
  const sizes: number[] = [];
  for (let path: string | undefined = `/events?user_id=${user_id}&limit=1000`; path !== undefined;) {
    const answer: Response = await admin.get(path);
    const page = await listed(answer);
    ids.push(...page.map((event) => event.event_id));
    sizes.push(page.length);
    path = /^<\/api\/v1\/audit(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  expect(sizes).toEqual([12, 12]);
  expect(ids).toEqual(events.map((event) => event.event_id).toReversed());
});

test('a page that nobody reads is held 4 times for one user, and no more', async () => {
  const user_id = crypto.randomUUID();
  await store(5, { user_id, note: 'x'.repeat(100_000) });
  const open = () => admin.get(`/events?user_id=${user_id}`);
  const unread = await Promise.all([open(), open(), open(), open()]);
  expect(await codeOf(await open())).toEqual([429, 'TOO_MANY_LONG_ANSWERS']);
  expect((await admin.get(`/events?user_id=${user_id}&limit=1`)).status).toBe(200);
  await Promise.all(unread.map((answer) => answer.body?.cancel()));
  expect(await listed(await open())).toHaveLength(5);
});
