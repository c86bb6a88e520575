import { afterAll, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { logIn } from '../../../test/support/login.ts';
import { eventually } from '../../../test/support/wait.ts';
import { eventOf } from '../fixtures/events.ts';
import { startReplica } from '../fixtures/replica.ts';
import { big, EVENTS, openStuck, personWithMuch } from '../fixtures/stuck.ts';

const STREAM = '/api/v1/notifications/stream';

const database = await createDatabase();
afterAll(() => database.drop());

const start = (settings: Parameters<typeof startReplica>[1] = {}) =>
  startReplica(database.url('notification-service'), { livePerSecond: 1000, ...settings });
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

test('a client that does not read is ended, and delays nobody', async () => {
  const replica = await start();
  const [me, other] = [await logIn(database.sql), await logIn(database.sql)];
  const stuck = await openStuck(replica.origin, STREAM, me.headers);
  const [mine, theirs] = [await replica.open(me), await replica.open(other)];
  await eventually(async () => (await replica.metric('taskflow_streams_open')) === 3);
  const reading = Promise.all([mine.take(EVENTS + 1), theirs.take(EVENTS + 1)]);
  for (let n = 0; n < EVENTS; n++) {
    await Promise.all([replica.deliver(eventOf(me, big)), replica.deliver(eventOf(other, big))]);
  }
  for (const events of await reading) expect(events.slice(1).map(({ id }) => Number(id))).toEqual(numbers(EVENTS));
  expect(await replica.metric('taskflow_streams_closed_total')).toBe(1);
  expect(await replica.metric('taskflow_streams_open')).toBe(2);
  for (const each of [stuck, mine, theirs]) each.close();
  await replica.stop();
});

test('a replay waits for its client and holds no more than is allowed unsent', async () => {
  const replica = await start();
  const me = await personWithMuch(database.sql);
  const stuck = await openStuck(replica.origin, STREAM, { ...me.headers, 'last-event-id': '0' });
  const written = await settled(() => replica.metric('taskflow_stream_frames_total'));
  expect(written).toBeLessThan(EVENTS);
  const ids = stuck.read();
  await eventually(() => ids().length === EVENTS, 15_000);
  expect(ids()).toEqual(numbers(EVENTS));
  stuck.close();
  await replica.stop();
});

test('a replay that nobody reads is ended at its second heartbeat', async () => {
  const replica = await start({ heartbeatMs: 300 });
  const me = await personWithMuch(database.sql);
  const stuck = await openStuck(replica.origin, STREAM, { ...me.headers, 'last-event-id': '0' });
  const ended = async () => (await replica.metric('taskflow_streams_closed_total')) === 1;
  await eventually(ended, { ms: 45_000, everyMs: 200 }); // two rounds are 200 turns of this loop, which a look holds up
  expect(await replica.metric('taskflow_streams_open')).toBe(0);
  stuck.close();
  await replica.stop();
});

test('a stream that was replaced is not kept for a client that does not read the rest of it', async () => {
  const replica = await start({ unreadSeconds: 1 });
  const me = await personWithMuch(database.sql);
  const stuck = await openStuck(replica.origin, `${STREAM}?client=tab`, { ...me.headers, 'last-event-id': '0' });
  await settled(() => replica.metric('taskflow_stream_frames_total'));
  const newer = await replica.open(me, 'client=tab');
  await newer.next();
  expect(await replica.metric('taskflow_streams_closed_total', 'reason="replaced"')).toBe(1);
  await eventually(() => replica.underWay() === 1);
  await replica.deliver(eventOf(me));
  expect((await newer.next()).id).toBe(String(EVENTS + 1));
  for (const each of [stuck, newer]) each.close();
  await replica.stop();
});

/** The value of a counter once it has stood still for twenty looks. */
async function settled(look: () => Promise<number>): Promise<number> {
  let [last, unchanged] = [0, 0];
  return eventually(async () => {
    const value = await look();
    unchanged = value === last && value > 1 ? unchanged + 1 : 0;
    last = value;
    return unchanged >= 20 && value;
  });
}
