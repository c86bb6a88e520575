import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { TaskEvent } from '#shared/events';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/wait.ts';
import { type Arrival, startRelay, startSidecarEdge, writeEvents } from './fixture.ts';
import { listOutbox, RepairError, repairOutboxRow, showOutboxEvent } from './outbox-repair.ts';
import { connect } from '#shared/db';

let database: TestDatabase;
let edge: ReturnType<typeof startSidecarEdge>;
const relays: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  database = await createDatabase();
  edge = startSidecarEdge();
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
  await edge.stop();
  await database.drop();
});

async function relayTo(port: number, options?: { publishMs: number }) {
  const relay = await startRelay(database, port, options);
  relays.push(relay);
  return relay;
}

const unsent = async () => {
  const [row] = await database.sql<{ n: number }[]>`select count(*)::int as n from outbox where sent_at is null`;
  return row?.n ?? 0;
};
const allSent = () => eventually(async () => (await unsent()) === 0, { ms: 15_000, what: 'an empty outbox' });

/** Rows of the outbox that connections which ended have read. */
const rowsRead = async () => {
  const [row] = await database.sql<{ n: number }[]>`
    select (coalesce(idx_tup_fetch, 0) + seq_tup_read)::float8 as n from pg_stat_user_tables where relname = 'outbox'`;
  return row?.n ?? 0;
};

/** The versions of each task in the order in which they arrived, each for the first time. */
function orders(arrivals: Arrival[]): number[][] {
  const first = [...new Map(arrivals.toReversed().map((arrival) => [arrival.event_id, arrival])).values()].toReversed();
  return [...Map.groupBy(first, ({ task_id }) => task_id).values()].map((own) =>
    own.map(({ task_version }) => task_version),
  );
}

describe('runOnce', () => {
  test('publishes what waits, in order for each task, with the traceparent of its request', async () => {
    await writeEvents(database, { tasks: 40, versions: 5 });
    const relay = await relayTo(edge.port);
    expect(await relay.runOnce()).toBe(200);
    expect(orders(edge.arrivals)).toEqual(Array(40).fill([1, 2, 3, 4, 5]));
    expect(edge.arrivals[0]?.traceparent).toBe('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    expect(edge.calls).toBe(5);
    expect(await unsent()).toBe(0);
    expect(await relay.runOnce()).toBe(0);
  });

  test('publishes a backlog in bulks of 100, a few of them at a time', async () => {
    await writeEvents(database, { tasks: 1000 });
    const relay = await relayTo(edge.port);
    await relay.runOnce();
    expect(edge).toMatchObject({ calls: 10, largest: 100 });
    expect(edge.peak).toBeLessThanOrEqual(3);
  });

  test('publishes again what the sidecar names as failed in a bulk, and nothing else', async () => {
    const [bad] = await writeEvents(database, { tasks: 20, versions: 2 });
    let failures = 0;
    edge.answer = ({ task_id, task_version }) => (task_id === bad && task_version === 1 && ++failures < 4 ? 500 : 204);
    const relay = await relayTo(edge.port);
    relay.start();
    await allSent();
    expect(edge.arrivals).toHaveLength(40);
    expect(orders(edge.arrivals)).toEqual(Array(20).fill([1, 2]));
  });

  test('parks an event that fails its schema; only its task waits', async () => {
    const [bad = '', good] = await writeEvents(database, { tasks: 2, versions: 2 });
    await database.sql`update outbox set event = event - 'task' where task_id = ${bad} and task_version = 1`;
    const relay = await relayTo(edge.port);
    await relay.runOnce();
    expect(edge.arrivals.map(({ task_id }) => task_id)).toEqual([good ?? '', good ?? '']);
    expect(relay.lines).toMatchObject([{ message: 'outbox row parked', reason: expect.stringContaining('/task') }]);
    expect(await relay.metrics.text()).toMatch(/taskflow_outbox_parked\{[^}]*\} 1/);
    expect(await relay.metrics.text()).toMatch(/taskflow_outbox_unsent\{[^}]*\} 2/);
  });

  test('parks an event whose number is text, as no consumer would take it', async () => {
    await writeEvents(database);
    await database.sql`update outbox set event = event || '{"task_version": "2"}'`;
    const relay = await relayTo(edge.port);
    await relay.runOnce();
    expect(edge.calls).toBe(0);
    expect(relay.lines).toMatchObject([{ reason: expect.stringContaining('/task_version') }]);
  });

  test('leaves a type that a later version writes, and what follows in its task, to the relays of that version', async () => {
    const [later = '', good] = await writeEvents(database, { tasks: 2, versions: 2 });
    await database.sql`
      update outbox set event_type = 'task.archived', event = event || '{"event_type": "task.archived"}'
      where task_id = ${later} and task_version = 1`;
    const relay = await relayTo(edge.port);
    expect(await relay.runOnce()).toBe(2);
    expect(edge.arrivals.map(({ task_id }) => task_id)).toEqual([good ?? '', good ?? '']);
    expect(relay.lines).toEqual([]);
    expect(await relay.metrics.text()).toMatch(/outbox_parked\{[^}]*\} 0/);
  });

  test('parks what the sidecar refuses as such', async () => {
    const [bad, ...good] = await writeEvents(database, { tasks: 20 });
    edge.answer = ({ task_id }) => (task_id === bad ? 400 : 204);
    const relay = await relayTo(edge.port);
    await relay.runOnce();
    expect(edge.arrivals.map(({ task_id }) => task_id).toSorted()).toEqual(good.toSorted());
    expect(edge.calls).toBe(1 + 20); // as one, which is refused whole, and then each
    const [row] = await database.sql`select parked_reason from outbox where task_id = ${bad ?? ''}`;
    expect(row?.parked_reason).toContain('refused by the sidecar');
  });

  // Plans are made once, and of an empty queue all indexes cost the same.
  test('reads a backlog once, however long, after statistics of a queue that was empty', async () => {
    await writeEvents(database, { tasks: 1000 });
    await database.sql`update outbox set sent_at = now()`;
    await database.sql`analyze outbox`;
    const relay = await relayTo(edge.port);
    expect(await relay.runOnce()).toBe(0);
    const before = await rowsRead();

    await writeEvents(database, { tasks: 3000 });
    expect(await relay.runOnce()).toBe(3000);
    await relay.stop();
    // A connection that ends has told what it read.
    const read = await eventually(async () => (await rowsRead()) - before, { what: 'what the relay read' });
    expect(read).toBeLessThan(20 * 3000);
  });

  test('leaves alone what another relay has claimed, until the lease is over', async () => {
    await writeEvents(database, { versions: 2 });
    await database.sql`update outbox set claimed_until = now() + interval '15 s' where task_version = 1`;
    const relay = await relayTo(edge.port);
    expect(await relay.runOnce()).toBe(0);
    await database.sql`update outbox set claimed_until = now() - interval '1 ms'`;
    expect(await relay.runOnce()).toBe(2);
  });
});

describe('a started relay', () => {
  test('sends at once when it is woken', async () => {
    const relay = await relayTo(edge.port);
    relay.start();
    await eventually(async () => (await relay.runOnce()) === 0);
    const tookMs: number[] = [];
    for (let sent = 1; sent <= 5; sent++) {
      await writeEvents(database);
      const from = performance.now();
      relay.wake();
      await eventually(() => edge.arrivals.length === sent);
      tookMs.push(performance.now() - from);
    }
    expect(tookMs.toSorted((a, b) => a - b)[3]).toBeLessThan(450); // the poll, every second, would find them too
  });

  test('finds by itself what nobody woke it for', async () => {
    const relay = await relayTo(edge.port);
    relay.start();
    await writeEvents(database);
    await allSent();
  });

  test('keeps the order of each task beside another relay on the same database', async () => {
    await writeEvents(database, { tasks: 60, versions: 6 });
    edge.answer = async () => {
      // Answers that overtake each other are what could break the order.
      for (let turns = Math.random() * 50; turns > 0; turns -= 1) await new Promise(setImmediate);
      return 204;
    };
    for (const relay of [await relayTo(edge.port), await relayTo(edge.port)]) relay.start();
    await allSent();
    expect(orders(edge.arrivals)).toEqual(Array(60).fill([1, 2, 3, 4, 5, 6]));
    expect(edge.arrivals).toHaveLength(360);
  });

  test('does not wait for a slow bulk with the others', async () => {
    const [slow] = await writeEvents(database);
    const { promise, resolve } = Promise.withResolvers<number>();
    edge.answer = ({ task_id }) => (task_id === slow ? promise : 204);
    const relay = await relayTo(edge.port);
    relay.start();
    await eventually(() => edge.calls === 1);
    await writeEvents(database, { tasks: 100, versions: 2 });
    relay.wake();
    await eventually(() => edge.arrivals.length === 200);
    resolve(204);
    await allSent();
  });

  test.each<[string, (event: TaskEvent) => number | null]>([
    ['answers 500', () => 500],
    ['hangs', () => null],
  ])('loses nothing and keeps the order while the sidecar %s', async (_what, fails) => {
    await writeEvents(database, { tasks: 10, versions: 3 });
    edge.answer = fails;
    const relay = await relayTo(edge.port, { publishMs: 300 });
    relay.start();
    await eventually(() => relay.lines.length === 1);
    const [row] =
      await database.sql`select count(*)::int as n from outbox where sent_at is not null or parked_at is not null`;
    expect(row).toEqual({ n: 0 });
    edge.answer = () => 204;
    await allSent();
    expect(orders(edge.arrivals)).toEqual(Array(10).fill([1, 2, 3]));
    // After those, 300 ms may be too short for a publish once more.
    expect(relay.lines.slice(0, 2).map(({ message }) => message)).toEqual([
      'outbox degraded: events wait',
      'outbox recovered: events flow again',
    ]);
  });

  test('waits for a sidecar that is not there, without hammering', async () => {
    const gone = startSidecarEdge();
    await gone.stop();
    await writeEvents(database, { tasks: 50 });
    const relay = await relayTo(gone.port);
    relay.start();
    await eventually(() => relay.lines.length === 1);
    edge.answer = () => 500;
    const failing = await relayTo(edge.port);
    failing.start();
    await eventually(() => edge.calls > 0);
    const from = performance.now();
    await eventually(() => performance.now() - from > 1500);
    expect(edge.calls).toBeLessThan(3 + 8); // one burst, then single probes after 100, 200, 400 … ms
  });

  test('goes on when the database comes back', async () => {
    const relay = await relayTo(edge.port);
    relay.start();
    await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'chat-api relay' and datname = current_database()`;
    await writeEvents(database);
    relay.wake();
    await allSent();
  });

  test('finishes what is under way when it stops', async () => {
    await writeEvents(database);
    const { promise, resolve } = Promise.withResolvers<number>();
    edge.answer = () => promise;
    const relay = await startRelay(database, edge.port);
    relay.start();
    await eventually(() => edge.calls === 1);
    const stopped = relay.stop();
    resolve(204);
    await stopped;
    expect(await unsent()).toBe(0);
  });
});

describe('ops outbox', () => {
  test('lists what is parked, and repairs it with a corrected event', async () => {
    const [bad = ''] = await writeEvents(database, { tasks: 2, versions: 2 });
    await database.sql`update outbox set event = event - 'recipients' where task_id = ${bad} and task_version = 1`;
    const relay = await relayTo(edge.port);
    await relay.runOnce();
    const sql = connect(database.url('chat-api'), { name: 'ops', max: 1 });
    try {
      const [row] = await listOutbox(sql, { isParked: true });
      expect(row).toMatchObject({
        task_id: bad,
        task_version: 1,
        parked_reason: expect.stringContaining('/recipients'),
      });
      const eventId = row?.event_id ?? '';
      const event = (await showOutboxEvent(sql, eventId)) as TaskEvent;
      await expect(repairOutboxRow(sql, eventId)).rejects.toThrow(RepairError);
      await expect(
        repairOutboxRow(sql, eventId, { ...event, recipients: [event.user_id], task_version: 9 }),
      ).rejects.toThrow('task_version must stay');
      await repairOutboxRow(sql, eventId, { ...event, recipients: [event.user_id] });
      expect(await relay.runOnce()).toBe(2);
    } finally {
      await sql.end();
    }
  });
});
