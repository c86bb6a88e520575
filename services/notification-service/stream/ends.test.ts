import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import type { Block } from '../../../test/support/event-source.ts';
import { logIn } from '../../../test/support/login.ts';
import { eventually } from '../../../test/support/wait.ts';
import { holdOpening } from '../fixtures/hold-opening.ts';
import { eventOf } from '../fixtures/events.ts';
import { type Replica, startReplica } from '../fixtures/replica.ts';
import { openStuck, personWithMuch } from '../fixtures/stuck.ts';
import { type End, unavailable } from './ends.ts';

const database = await createDatabase();
const started: Replica[] = [];
afterEach(() => Promise.all(started.splice(0).map((replica) => replica.stop())));
afterAll(() => database.drop());

type Frame = Pick<Block, 'event' | 'data' | 'retry'>;
/** By CONTRACT 9: the last frame, the way to it, and whether the stream held one of its user's places. */
type Way = { last: Frame | null; holdsPlace?: false; walk: () => Promise<Frame[]> };

const ways: Record<End, Way> = {
  client: {
    last: null,
    async walk() {
      const { stream } = await openOne();
      stream.close();
      return stream.rest();
    },
  },
  slow: {
    last: null,
    async walk() {
      const { origin, metric } = await start({ heartbeatMs: 300 });
      const me = await personWithMuch(database.sql);
      const headers = { ...me.headers, 'last-event-id': '0' };
      const stuck = await openStuck(origin, '/api/v1/notifications/stream', headers);
      const ended = () => metric('taskflow_streams_closed_total', 'reason="slow"');
      await eventually(ended, { ms: 45_000, everyMs: 200 }); // two rounds are 200 turns of this loop, which a look holds up
      stuck.read();
      await stuck.ended;
      return [...stuck.received().matchAll(/^event: (.*)$/gm)].map(([, event = '']) => frameOf(event, null));
    },
  },
  limit: {
    last: null,
    async walk() {
      const { replica, me, stream } = await openOne({ query: 'limit=1' });
      await replica.deliver(eventOf(me));
      return stream.rest();
    },
  },
  'session-ended': {
    last: null,
    async walk() {
      const { me, stream } = await openOne();
      await database.sql`update sessions set revoked_at = now() where id = ${me.sid}`;
      return stream.rest();
    },
  },
  'token-expired': {
    last: frameOf('token-expired', '{}'),
    async walk() {
      const { stream } = await openOne({ expiresInMs: 5000 });
      return stream.rest();
    },
  },
  replaced: {
    last: frameOf('replaced', '{}'),
    async walk() {
      const { replica, me, stream } = await openOne({ query: 'client=tab' });
      await replica.open(me, 'client=tab');
      return stream.rest();
    },
  },
  reconnect: {
    last: frameOf('reconnect', '{"reason":"draining"}'),
    async walk() {
      const { replica, stream } = await openOne();
      await replica.connections.drain(0);
      return stream.rest();
    },
  },
  draining: {
    last: frameOf('unavailable', '{"reason":"draining"}', 10_000),
    holdsPlace: false,
    async walk() {
      const replica = await start();
      await replica.connections.drain(0);
      return (await replica.open(await logIn(database.sql))).rest();
    },
  },
  unavailable: {
    last: frameOf('unavailable', '{"reason":"database"}', 10_000),
    async walk() {
      const replica = await start();
      const me = await logIn(database.sql);
      const release = await holdOpening(database.sql);
      const frames = await replica.open(me).then((stream) => stream.rest());
      await release();
      return frames;
    },
  },
};

describe('a stream that ends', () => {
  test.each(Object.entries(ways))('by %s', async (end, { last, holdsPlace, walk }) => {
    const frames = (await walk()).filter(({ event }) => event !== 'ready' && !event.startsWith('task.'));
    expect(frames.map(({ event, data, retry }) => ({ event, data, retry }))).toEqual(last ? [last] : []);
    const [replica] = started;
    const ended = () => replica?.metric('taskflow_streams_closed_total', `reason="${end}"`);
    if (holdsPlace === false) expect(await ended()).toBe(0);
    else await eventually(async () => (await ended()) === 1);
    expect(await replica?.metric('taskflow_streams_open')).toBe(end === 'replaced' ? 1 : 0);
  });
});

describe('unavailable', () => {
  test('is a whole answer of 200', async () => {
    const answer = unavailable('unavailable');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatchInlineSnapshot(`
      "retry: 10000
      event: unavailable
      data: {"reason":"database"}

      "
    `);
  });

  test('is given again and again', async () => {
    const texts = await Promise.all([1, 2].map(() => unavailable('draining').text()));
    expect(texts).toEqual(Array(2).fill('retry: 10000\nevent: unavailable\ndata: {"reason":"draining"}\n\n'));
  });
});

function frameOf(event: string, data: string | null, retry: number | null = null): Frame {
  return { event, data, retry };
}

async function start(settings: Parameters<typeof startReplica>[1] = {}): Promise<Replica> {
  const replica = await startReplica(database.url('notification-service'), settings);
  started.push(replica);
  return replica;
}

/** A stream that has begun, on a replica of its own. */
async function openOne({ query = '', expiresInMs = 3_600_000 } = {}) {
  const replica = await start();
  const me = await logIn(database.sql, { expiresInMs });
  const stream = await replica.open(me, query);
  await stream.next();
  return { replica, me, stream };
}
