import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { type EventStream, StreamRefused } from '../../../test/support/event-source.ts';
import { type Login, logIn, openSession } from '../../../test/support/login.ts';
import { said } from '../../../test/support/raw.ts';
import { eventually } from '../../../test/support/wait.ts';
import { eventOf, reminderOf } from '../fixtures/events.ts';
import { type Replica, startReplica } from '../fixtures/replica.ts';

const database = await createDatabase();
const replica = await startReplica(database.url('notification-service'));
const opened: EventStream[] = [];
afterEach(() => opened.splice(0).forEach((stream) => stream.close()));
afterAll(async () => {
  expect(await eventually(async () => (await replica.metric('taskflow_streams_open')) === 0)).toBe(true);
  await replica.stop();
  await database.drop();
});

const person = () => logIn(database.sql);

async function open(by: Login, query = '', headers: Record<string, string> = {}, at: Replica = replica) {
  const stream = await at.open(by, query, headers);
  opened.push(stream);
  return stream;
}

/** So many changes of their own, committed one after the other. */
async function changes(by: Login, count: number, from = 1, at: Replica = replica): Promise<void> {
  for (let n = from; n < from + count; n++) expect(await at.deliver(eventOf(by, `Task ${n}`))).toBe('SUCCESS');
}

const ids = (events: { id: string }[]) => events.map(({ id }) => Number(id));
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error as StreamRefused,
  );

describe('GET /notifications/stream', () => {
  test('begins with the retry time and ready, then gives the items of the inbox as they come', async () => {
    const me = await person();
    const stream = await open(me);
    expect(await stream.next()).toEqual({ id: '0', event: 'ready', data: '{"cursor":0}', retry: 3000, comment: null });
    await changes(me, 2);
    const [first, second] = await stream.take(2);
    expect(first).toMatchObject({ id: '1', event: 'task.created' });
    expect([second, first].map((event) => JSON.parse(event?.data ?? ''))).toEqual(await replica.get(me, ''));
    const { headers } = stream;
    expect(headers.get('content-type')).toStartWith('text/event-stream');
    expect(headers.get('x-accel-buffering')).toBe('no');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-correlation-id')).not.toBeNull();
  });

  test('is refused as JSON without a login, and for an API token without the scope', async () => {
    const nobody = await refusal(open({ ...(await person()), headers: { authorization: '' } }));
    expect(nobody?.status).toBe(401);
    expect(JSON.parse(nobody?.body ?? '')).toMatchObject({ code: expect.any(String), message: expect.any(String) });
    const me = await person();
    const withToken = (...scopes: string[]) => openSession(database.sql, me.id, { scopes });
    expect((await refusal(open(await withToken('tasks:read'))))?.status).toBe(403);
    const stream = await open(await withToken('notifications:read'));
    expect((await stream.next()).event).toBe('ready');
  });

  test('opens by the cookie of an EventSource behind a proxy that asked for Basic credentials', async () => {
    const me = await person();
    const headers = { cookie: `taskflow_session=${me.token}`, authorization: 'Basic Z2F0ZTpwYXNz' };
    const stream = await open(me, '', headers);
    expect((await stream.next()).event).toBe('ready');
  });

  test('begins with what comes next when nothing is said about the past', async () => {
    const me = await person();
    await changes(me, 3);
    const stream = await open(me);
    expect((await stream.next()).id).toBe('3');
    await changes(me, 1);
    expect((await stream.next()).id).toBe('4');
  });
});

describe.each(['', '/'])('HEAD /notifications/stream%s', (slash) => {
  const head = (by: Login, query: string) => {
    const line = `HEAD /api/v1/notifications/stream${slash}?${query} HTTP/1.1`;
    const headers = [`Authorization: ${by.headers.authorization}`, 'Host: localhost', 'Connection: close'];
    return said(Number(new URL(replica.origin).port), [line, ...headers, '', ''].join('\r\n'));
  };

  test('gives the headers of a stream and opens none', async () => {
    const me = await person();
    /** Those that are open, and those that were; others may be closing meanwhile. */
    const opened = () => replica.metric(['taskflow_streams_open', 'taskflow_streams_closed_total']);
    const before = await opened();
    const answer = await head(me, '');
    expect(answer.toLowerCase()).toStartWith('http/1.1 200 ');
    for (const field of ['content-type: text/event-stream', 'cache-control: no-store', 'transfer-encoding: chunked'])
      expect(answer.toLowerCase()).toContain(field);
    expect(answer.toLowerCase()).not.toContain('content-length');
    expect(await opened()).toBe(before);
  });

  test('takes no place of the three, ends no older stream, and is refused as GET would be', async () => {
    const me = await person();
    const [tab] = await Promise.all([open(me, 'client=tab-1'), open(me, 'client=tab-2')]);
    await tab?.next();
    expect(await head(me, 'client=tab-1')).toStartWith('HTTP/1.1 200 ');
    await open(me, 'client=tab-3');
    await changes(me, 1);
    expect((await tab?.next())?.event).toBe('task.created');
    expect(await head(me, '')).toStartWith('HTTP/1.1 429 ');
    expect(await head(me, 'client=tab-1')).toStartWith('HTTP/1.1 200 ');
    expect(await head(me, 'limit=0')).toStartWith('HTTP/1.1 400 ');
    expect(await head({ ...me, headers: { authorization: 'Bearer x' } }, '')).toStartWith('HTTP/1.1 401 ');
  });
});

describe('resuming', () => {
  test('replays what was missed and goes on live, while events flow, again and again', async () => {
    const me = await person();
    const total = 60;
    const writer = changes(me, total);
    const seen: number[] = [];
    while (seen.length < total) {
      const stream = await open(me, '', { 'last-event-id': String(seen.at(-1) ?? 0) });
      expect((await stream.next()).event).toBe('ready');
      for (let n = 0; n < 7 && seen.length < total; n++) seen.push(Number((await stream.next()).id));
      stream.close();
    }
    await writer;
    expect(seen).toEqual(span(1, total));
  });

  test('the header wins over the query, and either may be used', async () => {
    const me = await person();
    await changes(me, 4);
    const byQuery = await open(me, 'last_event_id=3');
    expect(ids(await byQuery.take(2))).toEqual([3, 4]);
    const byBoth = await open(me, 'last_event_id=3', { 'last-event-id': '2' });
    expect(ids(await byBoth.take(3))).toEqual([2, 3, 4]);
    const empty = await open(me, 'last_event_id=');
    expect((await empty.next()).id).toBe('4');
  });

  test.each([
    ['not a number', 'x', 11],
    ['below what was purged', '9', 10],
    ['above the counter', '13', 11],
  ])('%s is answered by a gap, and the stream begins at the counter', async (_, lastEventId, from) => {
    const me = await person();
    await changes(me, 12);
    await database.sql`update notification_counters set purged_through = 10 where user_id = ${me.id}`;
    await database.sql`delete from notifications where user_id = ${me.id} and seq <= 10`;
    const stream = await open(me, '', { 'last-event-id': lastEventId });
    const [gap, ready] = await stream.take(2);
    expect(gap).toMatchObject({ event: 'stream.gap', id: '12', retry: 3000 });
    const { url, ...range } = JSON.parse(gap?.data ?? '') as { url: string };
    expect(range).toEqual({ from, to: 12 });
    expect(await replica.get(me, url.replace('/api/v1/notifications', ''))).toHaveLength(2);
    expect(ready).toMatchObject({ event: 'ready', id: '12' });
    await changes(me, 1);
    expect((await stream.next()).id).toBe('13');
  });

  test('a long replay is bounded by the client alone, not by the rate', async () => {
    const me = await person();
    await appendRows(me, 2500);
    const stream = await open(me, 'last_event_id=0');
    await stream.next();
    expect(ids(await stream.take(2500, 10_000))).toEqual(span(1, 2500));
  });
});

describe('a database restored from a backup', () => {
  test('is told by a gap to a stream that was further, which then goes on live', async () => {
    const me = await person();
    await appendRows(me, 100);
    const streams = [await open(me), await open(me, 'level=all')];
    for (const stream of streams) expect((await stream.next()).id).toBe('100');
    await database.sql.begin(async (sql) => {
      await sql`delete from notifications where user_id = ${me.id} and seq > 60`;
      await sql`update notification_counters set last_seq = 60, purged_through = 20 where user_id = ${me.id}`;
    });
    for (const stream of streams) {
      const gap = await stream.next();
      expect(gap).toMatchObject({ event: 'stream.gap', id: '60' });
      expect(JSON.parse(gap.data)).toMatchObject({ from: 21, to: 60 });
    }
    await changes(me, 1);
    for (const stream of streams) expect(await stream.next()).toMatchObject({ id: '61', event: 'task.created' });
  });

  test('from before a person had an inbox, too', async () => {
    const me = await person();
    await appendRows(me, 5);
    const stream = await open(me);
    await stream.next();
    await database.sql.begin(async (sql) => {
      await sql`delete from notifications where user_id = ${me.id}`;
      await sql`delete from notification_counters where user_id = ${me.id}`;
    });
    expect(await stream.next()).toMatchObject({ event: 'stream.gap', id: '0' });
    await changes(me, 1);
    expect((await stream.next()).id).toBe('1');
  });
});

/** Rows as the append leaves them, at once. */
async function appendRows(by: Login, count: number, padding = ''): Promise<void> {
  const event = eventOf(by, padding);
  await database.sql`
    with rows as (
      insert into notifications (user_id, seq, event_id, type, notify, payload)
      select ${by.id}, coalesce((select last_seq from notification_counters where user_id = ${by.id}), 0) + n,
        gen_random_uuid(), 'task.created', false, ${database.sql.json(event as never)}
      from generate_series(1, ${count}::int) n)
    insert into notification_counters as c (user_id, last_seq) values (${by.id}, ${count})
    on conflict (user_id) do update set last_seq = c.last_seq + ${count}`;
}

describe('limits', () => {
  test('the fourth stream of a user is refused, and may come when one has gone', async () => {
    const me = await person();
    const [first] = await Promise.all([open(me), open(me), open(me)]);
    const refused = await refusal(open(me));
    expect(refused?.status).toBe(429);
    expect(JSON.parse(refused?.body ?? '')).toMatchObject({ code: 'TOO_MANY_STREAMS' });
    expect(refused?.headers.get('retry-after')).toBe('5');
    expect((await (await open(await person())).next()).event).toBe('ready');
    first?.close();
    const again = await eventually(() => open(me).catch(() => null));
    expect((await again.next()).event).toBe('ready');
  });

  test('a newer stream of the same client ends the older and is not counted twice', async () => {
    const me = await person();
    const [old] = await Promise.all([open(me, 'client=tab-1'), open(me, 'client=tab-2'), open(me, 'client=tab-3')]);
    await old?.next();
    const fresh = await open(me, 'client=tab-1');
    expect((await old?.rest())?.map(({ event }) => event)).toEqual(['replaced']);
    await changes(me, 1);
    expect(ids(await fresh.take(2))).toEqual([0, 1]);
    expect((await refusal(open(me, 'client=tab-4')))?.status).toBe(429);
  });

  test('?limit=N ends the stream after N notifications, replayed or live', async () => {
    const me = await person();
    await changes(me, 2);
    const replayed = await open(me, 'limit=2&last_event_id=0');
    expect(ids(await replayed.rest())).toEqual([0, 1, 2]);
    const live = await open(me, 'limit=1');
    await live.next();
    await changes(me, 2);
    expect(ids(await live.rest())).toEqual([3]);
    expect((await refusal(open(me, 'limit=0')))?.status).toBe(400);
  });

  test('ten live notifications a second: a stream over its rate falls behind and catches up', async () => {
    const me = await person();
    const stream = await open(me);
    await stream.next();
    const arrivals: number[] = [];
    const reading = (async () => {
      for (let n = 1; n <= 25; n++) {
        expect((await stream.next()).id).toBe(String(n));
        arrivals.push(performance.now());
      }
    })();
    const from = performance.now();
    await Promise.all(span(1, 25).map((n) => replica.deliver(eventOf(me, `Task ${n}`))));
    await reading;
    const afterMs = (n: number) => (arrivals[n - 1] ?? 0) - from;
    expect(afterMs(11)).toBeGreaterThan(950);
    expect(afterMs(21)).toBeGreaterThan(1950);
    expect(afterMs(25)).toBeLessThan(12_000); // at one a second it would be 24 s
  });

  test('a live stream too far behind jumps to the newest after a gap', async () => {
    const me = await person();
    const stream = await open(me);
    await stream.next();
    await appendRows(me, 1001);
    const gap = await stream.next();
    expect(gap).toMatchObject({ event: 'stream.gap', id: '1001' });
    expect(JSON.parse(gap.data)).toMatchObject({ from: 1, to: 1001 });
    await changes(me, 1);
    expect((await stream.next()).id).toBe('1002');
  });
});

describe('preferences', () => {
  test('filter the stream, not the inbox, and the heartbeat moves the position', async () => {
    const quick = await startReplica(database.url('notification-service'), { heartbeatMs: 200 });
    const me = await person();
    const stream = await open(me, '', {}, quick);
    await stream.next();
    expect((await quick.call(me, 'PUT', '/preferences', { level: 'critical' })).status).toBe(200);
    await changes(me, 2, 1, quick);
    const beat = await stream.until(({ data, id }) => data === null && id === '2');
    expect(beat.comment).toBe('heartbeat');
    await quick.deliver(reminderOf(me));
    expect(await stream.next()).toMatchObject({ id: '3', event: 'task.reminder.triggered' });
    await quick.call(me, 'PUT', '/preferences', { level: 'none' });
    await quick.deliver(reminderOf(me));
    await stream.until(({ data, id }) => data === null && id === '4');
    expect(await quick.get(me, '')).toHaveLength(4);
    const resumed = await open(me, 'last_event_id=0', {}, quick);
    await resumed.next();
    await resumed.until(({ data, id }) => data === null && id === '4');
    await quick.stop();
  });
});

describe('a stream with level=all', () => {
  test('carries everything beside another that the preferences filter', async () => {
    const me = await person();
    await replica.call(me, 'PUT', '/preferences', { level: 'none' });
    const [filtered, whole] = [await open(me), await open(me, 'level=all')];
    await Promise.all([filtered.next(), whole.next()]);
    await changes(me, 2);
    expect(ids(await whole.take(2))).toEqual([1, 2]);
    await replica.call(me, 'PUT', '/preferences', { level: 'all' });
    await changes(me, 1, 3);
    expect((await whole.next()).id).toBe('3');
    expect((await filtered.next()).id).toBe('3');
  });

  test("gives a batch of one's own changes at once, and keeps the rate for what wants to be noticed", async () => {
    const me = await person();
    const stream = await open(me, 'level=all');
    await stream.next();
    const from = performance.now();
    await replica.deliverAll(span(1, 100).map((n) => eventOf(me, `Task ${n}`)));
    expect(ids(await stream.take(100))).toEqual(span(1, 100));
    expect(performance.now() - from).toBeLessThan(5000); // by the rate it would be 9 s
    const fromReminders = performance.now();
    await replica.deliverAll(span(1, 11).map(() => reminderOf(me)));
    await stream.take(11);
    expect(performance.now() - fromReminders).toBeGreaterThan(950);
  });

  test('catches up from the inbox as fast as it reads', async () => {
    const me = await person();
    const stream = await open(me, 'level=all');
    await stream.next();
    await appendRows(me, 900);
    expect(ids(await stream.take(900))).toEqual(span(1, 900));
  });

  test('is the only level that can be asked for', async () => {
    const me = await person();
    const refused = await refusal(open(me, 'level=critical'));
    expect([refused?.status, JSON.parse(refused?.body ?? '').message]).toEqual([400, expect.stringContaining('level')]);
  });
});

describe('the end of a stream', () => {
  test('comes by logout and the end of the session, and when the user is disabled or gone', async () => {
    const people = [await person(), await person(), await person(), await person()] as const;
    const streams = await Promise.all(people.map((each) => open(each)));
    await Promise.all(streams.map((stream) => stream.next()));
    await database.sql`update sessions set revoked_at = now() where id = ${people[0].sid}`;
    await database.sql`update sessions set expires_at = now() where id = ${people[1].sid}`;
    await database.sql`update users set disabled_at = now() where id = ${people[2].id}`;
    await database.sql`delete from users where id = ${people[3].id}`;
    for (const stream of streams) expect(await stream.rest()).toEqual([]);
  });

  test('comes with token-expired when the token expires', async () => {
    const me = await logIn(database.sql, { expiresInMs: 5000 });
    const stream = await open(me);
    await stream.next();
    expect((await stream.rest()).map(({ event }) => event)).toEqual(['token-expired']);
  });

  test('a client that goes away is counted out at once', async () => {
    const me = await person();
    const stream = await open(me);
    await stream.next();
    const before = await replica.metric('taskflow_streams_open');
    stream.close();
    await eventually(async () => (await replica.metric('taskflow_streams_open')) === before - 1);
  });

  test('draining ends the streams spread out and sends new ones away', async () => {
    const old = await startReplica(database.url('notification-service'));
    const people = await Promise.all(span(1, 8).map(person));
    const streams = await Promise.all(people.map((each) => open(each, '', {}, old)));
    await Promise.all(streams.map((stream) => stream.next()));
    const drained = old.connections.drain(4000);
    const ends = Promise.all(
      streams.map(async (stream) => {
        expect((await stream.rest()).map(({ event }) => event)).toEqual(['reconnect']);
        return performance.now();
      }),
    );
    const late = await open(await person(), '', {}, old);
    expect(await late.rest()).toMatchObject([{ event: 'unavailable', data: '{"reason":"draining"}', retry: 10_000 }]);
    const endedAt = await ends;
    await drained;
    expect(Math.max(...endedAt) - Math.min(...endedAt)).toBeGreaterThan(1000);
    await old.stop();
  });

  test('without a database: 200 and unavailable, so that an EventSource comes back', async () => {
    const lost = await startReplica('postgres://nobody@127.0.0.1:1/none');
    const stream = await open(await person(), '', {}, lost);
    expect(await stream.rest()).toMatchObject([{ event: 'unavailable', data: '{"reason":"database"}', retry: 10_000 }]);
    expect(await lost.metric('taskflow_streams_open')).toBe(0);
    await lost.stop();
  });
});
