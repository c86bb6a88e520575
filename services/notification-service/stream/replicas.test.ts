import { afterAll, describe, expect, test } from 'bun:test';
import postgres from 'postgres';
import { createDatabase } from '../../../test/support/database.ts';
import { logIn } from '../../../test/support/login.ts';
import { startRelay } from '../../../test/support/relay.ts';
import { eventually } from '../../../test/support/wait.ts';
import { eventOf } from '../fixtures/events.ts';
import { startReplica } from '../fixtures/replica.ts';

const database = await createDatabase();
const url = database.url('notification-service');
afterAll(() => database.drop());

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
const ids = (events: { id: string }[]) => events.map(({ id }) => Number(id));

describe('two replicas on one database', () => {
  test.each([
    ['by hints', { hasHints: true, lookMs: 60_000 }],
    ['by looking', { hasHints: false, lookMs: 100 }],
  ])('each serves every stream, in order and once, woken %s', async (_, settings) => {
    const replicas = await Promise.all([
      startReplica(url, { livePerSecond: 1000, ...settings }),
      startReplica(url, { livePerSecond: 1000, ...settings }),
    ]);
    const people = await Promise.all(numbers(4).map(() => logIn(database.sql)));
    const streams = await Promise.all(people.flatMap((person) => replicas.map((replica) => replica.open(person))));
    await Promise.all(streams.map((stream) => stream.next()));
    const [one, two] = replicas;
    const reading = Promise.all(streams.map((stream) => stream.take(40)));
    await Promise.all(
      numbers(40).flatMap((n) =>
        people.map(async (person) => {
          const event = eventOf(person, `Task ${n}`);
          // Each event reaches one replica, now and then both.
          const to = [...(n % 2 === 0 || n % 5 === 0 ? [one] : []), ...(n % 2 === 1 || n % 5 === 0 ? [two] : [])];
          for (const status of await Promise.all(to.map((replica) => replica?.deliver(event)))) {
            expect(status).toBe('SUCCESS');
          }
        }),
      ),
    );
    for (const events of await reading) expect(ids(events)).toEqual(numbers(40));
    for (const stream of streams) stream.close();
    await Promise.all(replicas.map((replica) => replica.stop()));
  });

  test('a preference set on one holds on the other with its next look', async () => {
    const [one, two] = [await startReplica(url), await startReplica(url, { lookMs: 50 })];
    const me = await logIn(database.sql);
    const stream = await two.open(me);
    await stream.next();
    await one.call(me, 'PUT', '/preferences', { level: 'none' });
    await eventually(() => [...two.connections.audiences()].every(({ level }) => level === 'none'));
    await two.deliver(eventOf(me)); // not by a hint, which might be read only after the next change
    await one.call(me, 'PUT', '/preferences', { level: 'all' });
    await eventually(() => [...two.connections.audiences()].every(({ level }) => level === 'all'));
    await two.deliver(eventOf(me));
    expect((await stream.next()).id).toBe('2');
    stream.close();
    await Promise.all([one.stop(), two.stop()]);
  });
});

describe('a hint that is not ours', () => {
  // NOTIFY asks for no right: whoever can log in to the database may send one.
  test.each(['all', 'none'])('neither silences a stream nor makes it skip, at level %s', async (level) => {
    const replica = await startReplica(url, { lookMs: 50 });
    const stranger = postgres(database.url('recurring-task-processor'), { max: 1 });
    const [me, other] = [await logIn(database.sql), await logIn(database.sql)];
    await replica.call(me, 'PUT', '/preferences', { level });
    const [mine, theirs] = [await replica.open(me), await replica.open(other)];
    await Promise.all([mine.next(), theirs.next()]);
    for (const claim of ['4503599627370496', 'x', '', '-1', '1e400', '1 2:3']) {
      await stranger.notify('notifications', `${me.id}:${claim} ${other.id}:1`);
    }
    await replica.deliver(eventOf(other));
    expect((await theirs.next()).id).toBe('1');
    await replica.call(me, 'PUT', '/preferences', { level: 'all' });
    await eventually(() => [...replica.connections.audiences()].every((audience) => audience.level === 'all'));
    await replica.deliver(eventOf(me));
    expect(await mine.next()).toMatchObject({ id: '1', event: 'task.created' });
    expect(replica.logged.filter(({ message }) => message === 'loop degraded')).toEqual([]);
    mine.close();
    theirs.close();
    await Promise.all([replica.stop(), stranger.end()]);
  });

  test('skips nothing that came after the preferences had changed under the read that it caused', async () => {
    const replica = await startReplica(url, { lookMs: 50 });
    const me = await logIn(database.sql);
    await replica.call(me, 'PUT', '/preferences', { level: 'none' });
    const stream = await replica.open(me);
    await stream.next();
    const event = eventOf(me);
    await database.sql.begin(async (tx) => {
      await tx`lock table notifications in access exclusive mode`;
      await database.sql.notify('notifications', `${me.id}:1`);
      await eventually(async () => {
        const [row] = await database.sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        return row;
      });
      await replica.call(me, 'PUT', '/preferences', { level: 'all' });
      await tx`insert into notification_counters (user_id, last_seq) values (${me.id}, 1)`;
      await tx`
        insert into notifications (user_id, seq, event_id, type, notify, payload)
        values (${me.id}, 1, ${event.event_id}, ${event.event_type}, true, ${tx.json(event as never)})`;
    });
    expect(await stream.next()).toMatchObject({ id: '1', event: 'task.created' });
    stream.close();
    await replica.stop();
  });
});

describe('while the database is gone', () => {
  test('open streams stay, new ones are told, events are offered again, and all goes on when it is back', async () => {
    const relay = startRelay(url);
    const replica = await startReplica(relay.url, { sessionCheckMs: 50 });
    const me = await logIn(database.sql);
    const stream = await replica.open(me);
    await stream.next();
    relay.cut();
    await eventually(() =>
      replica.logged.find(({ message, loop }) => message === 'loop degraded' && loop === 'sessions'),
    );
    const late = await replica.open(await logIn(database.sql));
    expect(await late.rest()).toMatchObject([{ event: 'unavailable', data: '{"reason":"database"}' }]);
    expect((await replica.call(me, 'GET', '')).status).toBe(503);
    const event = eventOf(me);
    expect(await replica.deliver(event)).toBe('RETRY');
    expect(await replica.metric('taskflow_streams_open')).toBe(1);
    relay.restore();
    await eventually(async () => (await replica.deliver(event)) === 'SUCCESS');
    expect((await stream.next()).id).toBe('1');
    // What somebody else writes reaches the stream too: hints or looks are alive again.
    await database.sql`update notification_counters set last_seq = 2, purged_through = 2 where user_id = ${me.id}`;
    expect(await stream.next()).toMatchObject({ event: 'stream.gap', id: '2' });
    stream.close();
    await replica.stop();
    relay.stop();
  });
});
