import { afterAll, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { type Login, logIn } from '../../../test/support/login.ts';
import { eventOf, reminderOf } from '../fixtures/events.ts';
import { startReplica } from '../fixtures/replica.ts';
import type { Item } from './model.ts';
import { purgeInbox } from './purge.ts';

const database = await createDatabase();
const replica = await startReplica(database.url('notification-service'));
afterAll(async () => {
  await replica.stop();
  await database.drop();
});

/** A person with so many own changes (born read), then so many reminders (unread). */
async function personWith(changes: number, reminders = 0): Promise<Login> {
  const me = await logIn(database.sql);
  for (let n = 0; n < changes; n++) await replica.deliver(eventOf(me, `Task ${n}`));
  for (let n = 0; n < reminders; n++) await replica.deliver(reminderOf(me));
  return me;
}

const idsOf = async (me: Login, path: string) => (await replica.get<Item[]>(me, path)).map(({ id }) => id);

test('the published paths have no slash at their end', async () => {
  const { paths } = await replica.get<{ paths: object }>(await logIn(database.sql), '/openapi.json');
  expect(Object.keys(paths)).toContain('/api/v1/notifications');
  expect(Object.keys(paths).filter((path) => path.endsWith('/'))).toEqual([]);
});

describe('GET /notifications', () => {
  test('gives the items newest first, each with its whole event', async () => {
    const me = await logIn(database.sql);
    const event = eventOf(me, 'Water', { added_later: { kept: [1, null] } });
    await replica.deliver(event);
    const [item] = await replica.get<Item[]>(me, '');
    expect(item).toEqual({
      id: 1,
      notify: false,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      read_at: item?.created_at ?? '',
      event,
    });
    await replica.deliver(eventOf(me));
    expect(await idsOf(me, '')).toEqual([2, 1]);
  });

  async function pagesOf(me: Login, first: string): Promise<number[][]> {
    const pages: number[][] = [];
    for (let path: string | undefined = first; path !== undefined;) {
      const response = await replica.call(me, 'GET', path);
      pages.push(((await response.json()) as Item[]).map(({ id }) => id));
      path = /^<\/api\/v1\/notifications(\S*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
    }
    return pages;
  }

  test('is cut by limit, and the Link header leads on', async () => {
    expect(await pagesOf(await personWith(5), '?limit=2')).toEqual([[5, 4], [3, 2], [1]]);
  });

  test('is cut at 1 MiB of events, in both directions', async () => {
    const me = await logIn(database.sql);
    const events = Array.from({ length: 24 }, () => eventOf(me, 'Long', { note: 'x'.repeat(100_000) }));
    for (const event of events) await replica.deliver(event);
    const ids = Array.from({ length: 24 }, (_, i) => i + 1);
    const [back, forth] = [await pagesOf(me, '?limit=200'), await pagesOf(me, '?limit=200&after=0')];
    expect([back.map(({ length }) => length), back.flat()]).toEqual([[11, 11, 2], ids.toReversed()]);
    expect([forth.map(({ length }) => length), forth.flat()]).toEqual([[11, 11, 2], ids]);
  });

  test('comes in parts where it is long, and whole', async () => {
    const me = await logIn(database.sql);
    const events = Array.from({ length: 5 }, () => eventOf(me, 'Long', { note: 'x'.repeat(100_000) }));
    for (const event of events) await replica.deliver(event);
    const [short, long] = [await replica.call(me, 'GET', '?limit=2'), await replica.call(me, 'GET', '')];
    const lengths = [short, long].map(({ headers }) => headers.get('content-length') !== null);
    expect(lengths).toEqual([true, false]);
    expect(((await long.json()) as Item[]).map(({ id }) => id)).toEqual([5, 4, 3, 2, 1]);
    expect(await short.json()).toHaveLength(2);
  });

  test('reads a span again between two numbers, oldest first', async () => {
    const me = await personWith(6);
    expect(await idsOf(me, '?after=1&before=5')).toEqual([2, 3, 4]);
    expect(await idsOf(me, '?after=1&before=6&cursor=3')).toEqual([4, 5]);
    expect(await idsOf(me, '?before=3')).toEqual([2, 1]);
  });

  test('tells unread from read', async () => {
    const me = await personWith(1, 2);
    expect(await idsOf(me, '?unread=true')).toEqual([3, 2]);
    expect(await idsOf(me, '?unread=false')).toEqual([1]);
  });

  test("is nobody else's, and refuses what is no number", async () => {
    await personWith(1);
    const other = await logIn(database.sql);
    expect(await idsOf(other, '')).toEqual([]);
    for (const query of [
      'limit=0',
      'limit=201',
      'after=-1',
      'cursor=x',
      'unread=maybe',
      'unread=1',
      'after=1.5',
      'after=1e20',
      'cursor=1e308',
    ]) {
      const answer = await replica.call(other, 'GET', `?${query}`);
      expect(answer.status).toBe(400);
      const { message } = (await answer.json()) as { message: string };
      expect(message).toMatch(new RegExp(`^${query.split('=')[0]}: expected (a whole number|true or false)`));
    }
    expect((await fetch(`${replica.origin}/api/v1/notifications`)).status).toBe(401);
  });
});

describe('POST /notifications/:id/read', () => {
  test('marks one, the first time counts, and only an own one', async () => {
    const me = await personWith(0, 2);
    const first = (await (await replica.call(me, 'POST', '/1/read')).json()) as Item;
    expect(first).toMatchObject({ id: 1, notify: true, read_at: expect.any(String) });
    await database.sql`update notifications set read_at = '2026-01-02' where user_id = ${me.id} and seq = 1`;
    const again = await replica.call(me, 'POST', '/1/read');
    expect(await again.json()).toEqual({ ...first, read_at: '2026-01-02T00:00:00.000Z' });
    expect(await idsOf(me, '?unread=true')).toEqual([2]);
    const other = await logIn(database.sql);
    for (const [by, id] of [
      [other, '1'],
      [me, '9'],
      [me, 'x'],
    ] as const) {
      const response = await replica.call(by, 'POST', `/${id}/read`);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'NOTIFICATION_NOT_FOUND' });
    }
  });
});

describe('POST /notifications/read-all', () => {
  test('marks all, or those up to a number', async () => {
    const me = await personWith(1, 3);
    expect(await (await replica.call(me, 'POST', '/read-all?through=3')).json()).toEqual({ read: 2 });
    expect(await idsOf(me, '?unread=true')).toEqual([4]);
    expect((await replica.call(me, 'POST', '/read-all?through=1e20')).status).toBe(400);
    expect(await (await replica.call(me, 'POST', '/read-all')).json()).toEqual({ read: 1 });
    expect(await idsOf(me, '?unread=true')).toEqual([]);
  });
});

describe('GET and PUT /notifications/preferences', () => {
  test('all at first, then what was chosen; nothing else', async () => {
    const me = await logIn(database.sql);
    expect(await replica.get(me, '/preferences')).toEqual({ level: 'all' });
    await replica.call(me, 'PUT', '/preferences', { level: 'none' });
    await replica.call(me, 'PUT', '/preferences', { level: 'critical' });
    expect(await replica.get(me, '/preferences')).toEqual({ level: 'critical' });
    expect((await replica.call(me, 'PUT', '/preferences', { level: 'loud' })).status).toBe(400);
  });
});

describe('the purge', () => {
  const purge = () => purgeInbox({ sql: replica.sql, log: quiet, readDays: 7, unreadDays: 30 }, new Date());
  const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
  const age = (me: Login, seq: number, days: number) =>
    database.sql`update notifications set created_at = now() - make_interval(days => ${days})
      where user_id = ${me.id} and seq = ${seq}`;

  test('takes read rows after 7 days and unread ones after 30, and remembers the newest that is gone', async () => {
    const me = await personWith(2, 2);
    await Promise.all([age(me, 1, 8), age(me, 2, 6), age(me, 3, 8), age(me, 4, 31)]);
    await purge();
    expect(await idsOf(me, '?after=0')).toEqual([2, 3]);
    const [counter] = await database.sql`
      select last_seq::int, purged_through::int from notification_counters where user_id = ${me.id}`;
    expect(counter).toEqual({ last_seq: 4, purged_through: 4 });
    await purge();
    await replica.deliver(eventOf(me));
    expect(await idsOf(me, '?after=0')).toEqual([2, 3, 5]);
  });

  test('works in batches while rows are appended', async () => {
    const people = await Promise.all([1, 2, 3].map(() => personWith(1)));
    for (const me of people) {
      await database.sql`
        insert into notifications (user_id, seq, event_id, type, notify, payload, created_at, read_at)
        select ${me.id}, n, gen_random_uuid(), 'task.created', false, '{}', now() - interval '8 days', now()
        from generate_series(2, 800) n`;
      await database.sql`update notification_counters set last_seq = 800 where user_id = ${me.id}`;
    }
    await Promise.all([
      purge(),
      purge(),
      ...people.flatMap((me) => Array.from({ length: 10 }, () => replica.deliver(eventOf(me)))),
    ]);
    for (const me of people)
      expect(await idsOf(me, '?after=0')).toEqual([1, ...Array.from({ length: 10 }, (_, n) => 801 + n)]);
  });
});
