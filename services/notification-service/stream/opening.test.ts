import { afterAll, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { logIn } from '../../../test/support/login.ts';
import { eventually } from '../../../test/support/wait.ts';
import { holdOpening } from '../fixtures/hold-opening.ts';
import { eventOf } from '../fixtures/events.ts';
import { startReplica } from '../fixtures/replica.ts';

const database = await createDatabase();
const replica = await startReplica(database.url('notification-service'));
afterAll(async () => {
  await replica.stop();
  await database.drop();
});

const openStreams = () => replica.metric('taskflow_streams_open');

test('a client that leaves before its stream has begun is counted out', async () => {
  const me = await logIn(database.sql);
  const release = await holdOpening(database.sql);
  const leaving = new AbortController();
  const url = `${replica.origin}/api/v1/notifications/stream`;
  const left = [1, 2, 3].map(() => fetch(url, { headers: me.headers, signal: leaving.signal }).catch(() => 'left'));
  await eventually(async () => (await openStreams()) === 3);
  leaving.abort();
  expect(await Promise.all(left)).toEqual(['left', 'left', 'left']);
  await release();
  await eventually(async () => (await openStreams()) === 0);
});

test('a stream that is replaced before it has begun ends, and its place is not taken twice', async () => {
  const me = await logIn(database.sql);
  const release = await holdOpening(database.sql);
  const older = replica.open(me, 'client=tab');
  await eventually(async () => (await openStreams()) === 1);
  const newer = replica.open(me, 'client=tab');
  await eventually(async () => (await replica.metric('taskflow_streams_closed_total')) === 4);
  await release();
  expect(await (await older).rest()).toMatchObject([{ event: 'replaced', data: '{}' }]);
  const stream = await newer;
  await stream.next();
  await replica.deliver(eventOf(me));
  expect((await stream.next()).id).toBe('1');
  expect(await openStreams()).toBe(1);
  stream.close();
  await eventually(async () => (await openStreams()) === 0);
});

test('a database that does not answer costs no place: unavailable after three seconds', async () => {
  const me = await logIn(database.sql);
  const release = await holdOpening(database.sql);
  const stream = await replica.open(me);
  expect(await stream.rest()).toMatchObject([{ event: 'unavailable', data: '{"reason":"database"}' }]);
  expect(await openStreams()).toBe(0);
  await release();
});

test('a stream that is drained before it has begun sends its client away with reconnect', async () => {
  const me = await logIn(database.sql);
  const old = await startReplica(database.url('notification-service'));
  const release = await holdOpening(database.sql);
  const stream = old.open(me);
  await eventually(async () => (await old.metric('taskflow_streams_open')) === 1);
  await old.connections.drain(0);
  await release();
  expect(await (await stream).rest()).toMatchObject([{ event: 'reconnect', data: '{"reason":"draining"}' }]);
  await old.stop();
});

test('a stream whose caller is still being looked up when draining begins is sent away', async () => {
  const me = await logIn(database.sql);
  const old = await startReplica(database.url('notification-service'));
  const release = await holdOpening(database.sql, 'sessions');
  const stream = old.open(me);
  await eventually(async () => {
    const [row] = await database.sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return row;
  });
  await old.connections.drain(0);
  await release();
  expect(await (await stream).rest()).toMatchObject([{ event: 'unavailable', data: '{"reason":"draining"}' }]);
  await old.stop();
});
