import { afterAll, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { longestChange } from '../../../test/support/bulk.ts';
import { type Login, logIn } from '../../../test/support/login.ts';
import { startRelay } from '../../../test/support/relay.ts';
import { eventually } from '../../../test/support/wait.ts';
import { eventOf, reminderOf } from '../fixtures/events.ts';
import { startReplica } from '../fixtures/replica.ts';
import { parts } from './append.ts';

const database = await createDatabase();
const url = database.url('notification-service');
const replica = await startReplica(url);
afterAll(async () => {
  await replica.stop();
  await database.drop();
});

const rowsOf = ({ id }: { id: string }) =>
  database.sql`select seq::int, event_id, type, notify, payload, created_at, read_at from notifications
    where user_id = ${id} order by seq`;
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('an event', () => {
  test('becomes one row of each recipient, with the next number of each', async () => {
    const [me, other] = [await logIn(database.sql), await logIn(database.sql)];
    await replica.deliver(eventOf(other));
    const event = eventOf(me, 'Ours', { recipients: [me.id, other.id, me.id] });
    expect(await replica.deliver(event)).toBe('SUCCESS');
    expect(await rowsOf(me)).toMatchObject([{ seq: 1, event_id: event.event_id, notify: false, payload: event }]);
    expect(await rowsOf(other)).toMatchObject([{ seq: 1 }, { seq: 2, event_id: event.event_id, notify: true }]);
  });

  test('delivered again, also at the same time and to another replica, changes nothing and uses no number', async () => {
    const second = await startReplica(url);
    const me = await logIn(database.sql);
    const events = numbers(30).map((n) => eventOf(me, `Task ${n}`));
    const deliveries = events.flatMap((event) => [replica, replica, second].map((each) => each.deliver(event)));
    expect(new Set(await Promise.all(deliveries))).toEqual(new Set(['SUCCESS']));
    for (const event of events) expect(await second.deliver(event)).toBe('SUCCESS');
    const rows = await rowsOf(me);
    expect(rows.map(({ seq }) => seq)).toEqual(numbers(30));
    const [counter] = await database.sql`select last_seq::int from notification_counters where user_id = ${me.id}`;
    expect(counter?.last_seq).toBe(30);
    await second.stop();
  });

  test('of many users at once, on two replicas, leaves no number out', async () => {
    const second = await startReplica(url);
    const people = await Promise.all(numbers(20).map(() => logIn(database.sql)));
    const before = await replica.metric('taskflow_notifications_appended_total');
    await Promise.all(
      numbers(20).flatMap((n) =>
        people.map((person, i) => {
          const recipients = [person.id, people[(i * 7 + n) % people.length]?.id ?? person.id];
          return ((n + i) % 2 ? replica : second).deliver(eventOf(person, `Task ${n}`, { recipients }));
        }),
      ),
    );
    for (const person of people) {
      const rows = await rowsOf(person);
      expect(rows.map(({ seq }) => seq)).toEqual(numbers(rows.length));
    }
    expect(await replica.metric('taskflow_notifications_appended_total')).toBeGreaterThan(before);
    await second.stop();
  });

  test('is looked for by the index, not by reading the inbox of everybody', async () => {
    const me = await logIn(database.sql);
    const reads = async () => {
      const [row] = await database.sql<{ by_index: number; whole: number }[]>`
        select idx_scan::int as by_index, seq_scan::int as whole from pg_stat_user_tables where relname = 'notifications'`;
      return row ?? { by_index: 0, whole: 0 };
    };
    const before = await reads();
    for (let n = 0; n < 200; n++) await replica.deliver(eventOf(me));
    const { by_index, whole } = await eventually(async () => {
      await replica.deliver(eventOf(me)); // a connection tells of its reads once a second, when it is used
      const now = await reads();
      const since = { by_index: now.by_index - before.by_index, whole: now.whole - before.whole };
      return since.by_index + since.whole >= 200 ? since : null;
    });
    expect(by_index).toBeGreaterThan(150);
    expect(whole).toBeLessThan(50);
  });

  test('of many recipients is sent to the database once, not once for each', async () => {
    const relay = startRelay(url);
    const second = await startReplica(relay.url, { hasHints: false });
    const me = await logIn(database.sql);
    const description = 'x'.repeat(5000);
    const event = eventOf(me, 'Ours', { description, recipients: numbers(100).map(() => crypto.randomUUID()) });
    const before = relay.sent();
    expect(await second.deliver(event)).toBe('SUCCESS');
    expect(relay.sent() - before).toBeLessThan(3 * description.length + 100 * 200);
    const [stored] = await database.sql`
      select count(*)::int, count(distinct payload)::int as payloads from notifications where event_id = ${event.event_id}`;
    expect(stored).toEqual({ count: 100, payloads: 1 });
    await second.stop();
    relay.stop();
  });

  test('of 500 recipients is written, in its place in a batch; one of more is a dead letter', async () => {
    const me = await logIn(database.sql);
    const recipients = numbers(501).map(() => crypto.randomUUID());
    const many = eventOf(me, 'Ours', { recipients: [...recipients.slice(2), me.id] });
    const events = [eventOf(me), many, eventOf(me), eventOf(me, 'More', { recipients })];
    expect(await replica.deliverAll(events)).toBe('SUCCESS');
    const [row] = await database.sql`select count(*)::int from notifications where event_id = ${many.event_id}`;
    expect(row?.count).toBe(500);
    expect((await rowsOf(me)).map(({ event_id }) => event_id)).toEqual(events.slice(0, 3).map((e) => e.event_id));
    const [letter] = await database.sql`select app_id from dead_letters where event_id = ${events[3]?.event_id ?? ''}`;
    expect(letter?.app_id).toBe('notification-service');
  });

  test('of a type that a later version adds is kept', async () => {
    const me = await logIn(database.sql);
    const event = eventOf(me, '', { event_type: 'task.shared', task: undefined, with: 'a friend' });
    expect(await replica.deliver(event)).toBe('SUCCESS');
    expect(await rowsOf(me)).toMatchObject([{ type: 'task.shared', payload: { with: 'a friend' } }]);
  });

  test('carries the trace of the request that caused it', async () => {
    const me = await logIn(database.sql);
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await replica.deliver(eventOf(me), traceparent);
    expect(await rowsOf(me)).toMatchObject([{ payload: { traceparent } }]);
  });

  test('that the database refuses is a dead letter alone, the others of its batch are written in order', async () => {
    const me = await logIn(database.sql);
    const bad = eventOf(me, 'half a \ud800 pair');
    const events = numbers(21).map((n) => (n === 11 ? bad : eventOf(me, `Task ${n}`)));
    expect(await replica.deliverAll(events)).toBe('SUCCESS');
    const rows = await rowsOf(me);
    expect(rows.map(({ event_id }) => event_id)).toEqual(events.filter((e) => e !== bad).map((e) => e.event_id));
    expect(rows.map(({ seq }) => seq)).toEqual(numbers(20));
    const [letter] = await database.sql`select app_id from dead_letters where event_id = ${bad.event_id}`;
    expect(letter?.app_id).toBe('notification-service');
  });
});

describe('a batch', () => {
  const commits = async () => {
    const [row] = await database.sql<{ commits: number }[]>`
      select count(distinct created_at)::int as commits from notifications`;
    return row?.commits ?? 0;
  };

  test('is one statement and one commit from its first event on, in the order of its events', async () => {
    const [me, other] = [await logIn(database.sql), await logIn(database.sql)];
    const events = numbers(100).map((n) => eventOf(n % 2 ? me : other, `Task ${n}`, { recipients: [me.id, other.id] }));
    const before = {
      commits: await commits(),
      statements: await replica.metric('taskflow_notification_append_seconds_count'),
    };
    expect(await replica.deliverAll(events)).toBe('SUCCESS');
    expect(await commits()).toBe(before.commits + 1);
    expect(await replica.metric('taskflow_notification_append_seconds_count')).toBe(before.statements + 1);
    for (const person of [me, other]) {
      const rows = await rowsOf(person);
      expect(rows.map(({ seq }) => seq)).toEqual(numbers(100));
      expect(rows.map(({ event_id }) => event_id)).toEqual(events.map(({ event_id: id }) => id));
    }
  });

  test('delivered again, whole or with news behind it, uses no number twice', async () => {
    const me = await logIn(database.sql);
    const events = numbers(40).map((n) => eventOf(me, `Task ${n}`));
    for (const part of [events.slice(0, 20), events.slice(0, 20), events]) {
      expect(await replica.deliverAll(part)).toBe('SUCCESS');
    }
    expect((await rowsOf(me)).map(({ event_id }) => event_id)).toEqual(events.map(({ event_id: id }) => id));
  });

  test('of 100 of the longest events is written within one delivery', async () => {
    const me = await logIn(database.sql);
    const { changes, task } = longestChange();
    const events = numbers(100).map(() => {
      const event = eventOf(me, task.title, { changes });
      return { ...event, task: { ...event.task, ...task } };
    });
    expect(await replica.deliverAll(events)).toBe('SUCCESS');
    expect(await rowsOf(me)).toHaveLength(100);
  });

  test.each([
    ['100 events of 10 recipients', 100, 10, 1],
    ['3 events of 500 recipients, each of which is work for a statement', 3, 500, 3],
  ])('of %s', async (_what, count, recipients, statements) => {
    const me = await logIn(database.sql);
    const events = numbers(count).map((n) =>
      eventOf(me, `Task ${n}`, { recipients: numbers(recipients).map(() => crypto.randomUUID()) }),
    );
    const written = () => replica.metric('taskflow_notification_append_seconds_count');
    const before = await written();
    expect(await replica.deliverAll(events)).toBe('SUCCESS');
    expect((await written()) - before).toBe(statements);
    const everybody = events.flatMap((event) => event.recipients);
    const [row] = await database.sql`select count(*)::int from notifications where user_id = any(${everybody}::uuid[])`;
    expect(row?.count).toBe(count * recipients);
  });
});

test('a statement writes what 100 events of 50 recipients are, and not half as much again', async () => {
  const me = await logIn(database.sql);
  const recipients = numbers(50).map(() => crypto.randomUUID());
  const batch = (count: number) =>
    numbers(count).map((n) => ({ event: eventOf(me, `Task ${n}`, { recipients }), traceparent: null }));
  expect(parts(batch(100))).toHaveLength(1);
  expect(parts(batch(150))).toHaveLength(2);
});

describe('notify', () => {
  const by = (type: string, id: string) => (me: Login) => eventOf(me, '', { actor: { type, id } });
  const own = (type: string) => (me: Login) => eventOf(me, '', { actor: { type, id: me.id, name: 'script' } });
  test.each([
    ['own change', own('user'), false],
    ['own change by an API token', own('token'), false],
    ['an instance of an own series', by('service', 'recurring-task-processor'), false],
    ['a change of somebody else', by('user', crypto.randomUUID()), true],
    ["a change by somebody else's token", by('token', crypto.randomUUID()), true],
    ['an operator', by('operator', 'root'), true],
    ['a reminder', reminderOf, true],
  ])('%s', async (_, make, notify) => {
    const me = await logIn(database.sql);
    await replica.deliver(make(me));
    const [row] = await rowsOf(me);
    expect(row?.notify).toBe(notify);
    expect(row?.read_at).toEqual(notify ? null : row?.created_at);
  });
});

test('the first event after the service has started is on the stream within the same moment', async () => {
  const me = await logIn(database.sql);
  const stream = await replica.open(me);
  await stream.next();
  await Promise.all([replica.deliver(eventOf(me)), stream.next()]);
  stream.close();
  await eventually(async () => (await replica.metric('taskflow_streams_open')) === 0);
});
