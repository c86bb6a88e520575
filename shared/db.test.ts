import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { createDatabase } from '../test/support/database.ts';
import { startRelay } from '../test/support/relay.ts';
import { eventually } from '../test/support/wait.ts';
import { connect, isTransient, type Pool, type Sql, within } from './db.ts';

const database = await createDatabase();
await database.sql`create table parts (whole uuid, part int)`;
const pools: Pool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end({ timeout: 0 });
});
afterAll(() => database.drop());

/** Of one connection, unless told otherwise: its sessions follow each other in the same place of the pool. */
function open({ url = database.url(), ...options }: { url?: string; max?: number; socketTimeout?: number } = {}): Pool {
  const pool = connect(url, { name: 'lost', max: 1, ...options });
  pools.push(pool);
  return pool;
}

/** Ends the sessions of our pools as a failover does, and waits until the server knows none of them. */
const endSessions = () => database.sql`
  select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'lost'`;

/** A statement in whose course the server ends its session: first comes the error, then the end. */
const endOwnSession = (sql: Sql) => sql`select pg_terminate_backend(pg_backend_pid()), pg_sleep(10)`;

/** Ends the session of a pool that is waited for in a transaction or a cursor. Resolves when another has taken its place. */
async function replaceSession(sql: Pool): Promise<void> {
  await endSessions();
  await sql`select 1`;
}

/** Resolves when a session of our pools is in the middle of `pg_sleep`. */
const isAsleep = () =>
  eventually(async () => {
    const [row] = await database.sql`
      select from pg_stat_activity where application_name = 'lost' and wait_event = 'PgSleep'`;
    return row;
  });

type Transaction = Parameters<Parameters<Pool['begin']>[1]>[0];
const closed = { code: 'CONNECTION_CLOSED' };
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'fulfilled',
    (error: unknown) => error,
  );
const partsOf = async (whole: string) => {
  const rows = await database.sql<{ part: number }[]>`select part from parts where whole = ${whole} order by part`;
  return rows.map(({ part }) => part);
};
const addPart = (sql: Sql, whole: string, part: number) => sql`insert into parts values (${whole}, ${part})`;

describe('a session that follows a lost one', () => {
  test('answers for itself, not with the error that ended the other', async () => {
    const sql = open();
    expect(await outcomeOf(endOwnSession(sql))).toMatchObject(closed);
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }]);
  });

  test('is refused with the reason of the server, not waited for', async () => {
    const own = await createDatabase();
    const sql = open({ url: own.url() });
    const allow = (isAllowed: boolean) =>
      database.sql.unsafe(`alter database "${new URL(own.url()).pathname.slice(1)}" allow_connections ${isAllowed}`);
    const asleep = outcomeOf(sql`select pg_sleep(10)`);
    await isAsleep();
    await allow(false);
    await endSessions();
    expect(await asleep).toMatchObject(closed);
    expect(await outcomeOf(within(5000, sql`select 1`))).toMatchObject({ code: '55000' });
    await allow(true);
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }]);
    await own.drop();
  });

  test('asks for the types of arrays anew where the first was lost while it asked', async () => {
    const relay = startRelay(database.url());
    const sql = open({ url: relay.url });
    const swallowed = relay.swallow('typcategory', 'statement');
    const waiting = outcomeOf(sql`select 1`);
    await swallowed;
    await endSessions();
    expect(await waiting).toMatchObject(closed);
    expect([...(await sql`select array[1, 2] as numbers`)]).toEqual([{ numbers: [1, 2] }]);
    relay.stop();
  });

  test('listens again where the first was lost while it began to', async () => {
    const relay = startRelay(database.url());
    const heard: string[] = [];
    const swallowed = relay.swallow('listen', 'statement');
    const listening = outcomeOf(open({ url: relay.url }).listen('news', (payload) => void heard.push(payload)));
    await swallowed;
    await endSessions();
    expect(await listening).toMatchObject(closed);
    await eventually(async () => {
      await database.sql.notify('news', 'heard');
      return heard.length > 0;
    });
    relay.stop();
  });
});

test('a server that accepts a connection and closes it fails the statement, and is not asked again for it', async () => {
  let accepted = 0;
  const socket = {
    data() {},
    open(client: Bun.Socket) {
      accepted += 1;
      client.end();
    },
  };
  using server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket });
  const sql = open({ url: `postgres://nobody@127.0.0.1:${server.port}/nothing` });
  expect(await outcomeOf(within(5000, sql`select 1`))).toMatchObject(closed);
  expect(accepted).toBe(1);
});

describe('a connection that hears nothing more, as of a machine without power', () => {
  test('fails what it owes an answer, and the pool goes on by another', async () => {
    const relay = startRelay(database.url());
    const sql = open({ url: relay.url, socketTimeout: 3 });
    await sql`select 1`;
    relay.mute();
    const owed = [sql`select 'first'`, sql`select 'behind it'`].map(outcomeOf);
    for (const outcome of await within(10_000, Promise.all(owed))) expect(outcome).toMatchObject(closed);
    expect(await within(5000, sql`select 2 as two`)).toMatchObject([{ two: 2 }]);
    relay.stop();
  });

  test('ends the transaction that is in it', async () => {
    const relay = startRelay(database.url());
    const sql = open({ url: relay.url, socketTimeout: 3 });
    const whole = crypto.randomUUID();
    const outcome = outcomeOf(
      sql.begin(async (tx) => {
        await addPart(tx, whole, 1);
        relay.mute();
        await addPart(tx, whole, 2);
      }),
    );
    expect(await within(10_000, outcome)).toMatchObject(closed);
    await addPart(sql, whole, 3);
    expect(await partsOf(whole)).toEqual([3]);
    relay.stop();
  });

  test('is one that owes an answer: what sends its rows stays, what is idle, and a cursor whose reader works', async () => {
    const [idle, busy, reading] = [1, 2, 3].map(() => open({ socketTimeout: 4 })) as [Pool, Pool, Pool];
    const pidOf = async (sql: Sql) => (await sql<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid;
    const before = await Promise.all([idle, busy].map(pidOf));
    // 6 s; rows of 8 KiB, so that none waits in the server for the next.
    const sleeping = busy`select pg_sleep(0.5), repeat('x', 8192) from generate_series(1, 12)`.execute();
    let read = 0;
    for await (const rows of reading`select n from generate_series(1, 4) n`.cursor(2)) {
      if (read === 0) await sleeping; // the server has sent what was asked for, and waits for the reader
      read += rows.length;
    }
    expect([(await sleeping).length, read]).toEqual([12, 4]);
    expect(await Promise.all([idle, busy].map(pidOf))).toEqual(before);
  });
});

describe('a pool whose connection was lost', () => {
  test('ends at once', async () => {
    const sql = open();
    expect(await outcomeOf(endOwnSession(sql))).toMatchObject(closed);
    await within(5000, sql.end());
  });

  test('ends when it was ending already', async () => {
    const sql = open();
    const asleep = outcomeOf(sql`select pg_sleep(10)`);
    await isAsleep();
    const ending = sql.end();
    await endSessions();
    expect(await asleep).toMatchObject(closed);
    await within(5000, ending);
  });
});

describe('a transaction whose connection is lost', () => {
  test.each([
    ['statement', (tx: Sql, whole: string) => addPart(tx, whole, 2)],
    ['savepoint', (tx: Transaction, whole: string) => tx.savepoint((inner) => addPart(inner, whole, 2))],
  ])('refuses every further %s, and keeps nothing', async (_what, next) => {
    const sql = open();
    const whole = crypto.randomUUID();
    const { promise: refused, resolve } = Promise.withResolvers<unknown[]>();
    const work = async (tx: Transaction) => {
      await addPart(tx, whole, 1);
      await replaceSession(sql);
      resolve([await outcomeOf(next(tx, whole)), await outcomeOf(next(tx, whole))]);
    };
    const outcomes = [await outcomeOf(sql.begin(work)), ...(await refused)];
    expect(outcomes).toMatchObject([closed, closed, closed]);
    expect(outcomes.every(isTransient)).toBe(true);
    expect(await partsOf(whole)).toEqual([]);
  });

  test('refuses what waits for an earlier statement', async () => {
    const sql = open();
    const { promise: outcomes, resolve } = Promise.withResolvers<unknown>();
    const work = async (tx: Sql) => {
      resolve(Promise.all([tx`select pg_sleep(${10})`, tx`select 1`, tx`select ${2}::int`].map(outcomeOf)));
      await outcomes;
    };
    const transaction = outcomeOf(sql.begin(work));
    await isAsleep();
    await endSessions();
    expect(await transaction).toMatchObject(closed);
    expect(await outcomes).toMatchObject([closed, closed, closed]);
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }]);
  });

  test('leaves no rollback to the next session when the network breaks under a statement', async () => {
    const relay = startRelay(database.url());
    const sql = open({ url: relay.url });
    const transaction = outcomeOf(sql.begin((tx) => tx`select pg_sleep(10)`));
    await isAsleep();
    relay.cut();
    relay.restore();
    expect(isTransient(await transaction)).toBe(true);
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }]);
    expect([...(await sql`select 2 as two`)]).toEqual([{ two: 2 }]);
    await endSessions();
    relay.stop();
  });

  test.each([
    ['commit', async () => {}],
    ['roll back', () => Promise.reject(new Error('not to be'))],
  ])('does not %s the one that follows in its place', async (_what, finish) => {
    const sql = open();
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
    const [replaced, finished] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const lost = async (tx: Sql) => {
      await addPart(tx, first, 1);
      await endSessions();
      replaced.resolve();
      await finished.promise;
      await finish();
    };
    const next = async (tx: Sql) => {
      await addPart(tx, second, 1);
      finished.resolve();
      await tx`select 1`;
      await tx`select 2`; // what the other has sent on this connection is done by now
      expect(await partsOf(second)).toEqual([]);
      await addPart(tx, second, 2);
    };
    expect(await outcomeOf(sql.begin(lost))).toMatchObject(closed);
    await replaced.promise;
    expect(await outcomeOf(sql.begin(next))).toBe('fulfilled');
    expect([await partsOf(first), await partsOf(second)]).toEqual([[], [1, 2]]);
  });

  test('is an error when nobody knows whether it was committed', async () => {
    const relay = startRelay(database.url());
    const sql = open({ url: relay.url });
    const whole = crypto.randomUUID();
    const swallowed = relay.swallow('commit', 'answer');
    const outcome = outcomeOf(sql.begin((tx) => addPart(tx, whole, 1)));
    await swallowed;
    await endSessions();
    expect(await outcome).toMatchObject(closed);
    expect(isTransient(await outcome)).toBe(true);
    expect(await partsOf(whole)).toEqual([1]);
    relay.stop();
  });

  test('begins on the next session when it still waited for the lost one', async () => {
    const sql = open();
    const whole = crypto.randomUUID();
    const asleep = outcomeOf(sql`select pg_sleep(${10})`);
    const transaction = outcomeOf(sql.begin((tx) => addPart(tx, whole, 1)));
    await isAsleep();
    await endSessions();
    expect(await asleep).toMatchObject(closed);
    expect(await transaction).toBe('fulfilled');
    expect(await partsOf(whole)).toEqual([1]);
  });
});

test('a burst of statements and transactions under a failover leaves neither halves nor old errors', async () => {
  const sql = open({ max: 16 });
  const wholes = Array.from({ length: 48 }, () => crypto.randomUUID());
  const write = async (whole: string) => {
    await sql`select pg_sleep(0.2)`;
    await sql.begin(async (tx) => {
      await addPart(tx, whole, 1);
      await tx`select pg_sleep(0.01)`;
      await addPart(tx, whole, 2);
    });
  };
  await Promise.all(wholes.map(() => sql`select pg_sleep(0.01)`)); // all connections are made
  const burst = Promise.all(wholes.map((whole) => outcomeOf(write(whole))));
  await isAsleep();
  await endSessions();
  const refused = (await burst).filter((outcome) => outcome !== 'fulfilled');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.filter((outcome) => !isTransient(outcome))).toEqual([]);
  // This error comes with the end of a session: a statement that is given to the next one cannot meet it.
  expect(refused).not.toContainEqual(expect.objectContaining({ code: '57P01' }));
  const rows = await database.sql`select count(*)::int as parts from parts where whole = any(${wholes}) group by whole`;
  expect(rows.filter(({ parts }) => parts !== 2)).toEqual([]);
});

describe('a statement that shares its connection', () => {
  test('gets its rows alone, behind one that failed at a later row', async () => {
    const sql = open();
    const failed = outcomeOf(sql`select 1 / (3 - n) from generate_series(1, 5) n`);
    const [row, ...rest] = await sql`select 1 as one`;
    expect(await failed).toMatchObject({ code: '22012' });
    expect([row, rest]).toEqual([{ one: 1 }, []]);
  });

  test('is never inside the transaction of another, however many wait', async () => {
    const sql = open();
    const whole = crypto.randomUUID();
    await sql`select 1`;
    // postgres.js sends up to 101 statements ahead: BEGIN is the one that fills the connection.
    const ahead = Promise.all(Array.from({ length: 100 }, () => sql`select 1`));
    await Promise.resolve();
    const transaction = outcomeOf(sql.begin((tx) => addPart(tx, whole, 1)));
    const behind = Promise.all(Array.from({ length: 5 }, () => sql`select 1`));
    await Promise.all([ahead, behind]);
    expect(await transaction).toBe('fulfilled');
    expect(await partsOf(whole)).toEqual([1]);
    const left = await database.sql`
      select query from pg_stat_activity where application_name = 'lost' and state = 'idle in transaction'`;
    expect([...left]).toEqual([]);
  });

  test.each([
    ['a missing value', undefined],
    ['a value that its type cannot hold', new Date(NaN)],
  ])('is answered for itself, beside one that %s keeps from being sent', async (_what, value) => {
    const sql = open();
    const at = (time: Date | undefined) => sql`select ${time as Date}::timestamptz as at`;
    await at(new Date()); // prepared: the next is bound before it is sent
    const statements = [sql`select 'ahead' as who`, at(value), sql`select 'behind' as who`];
    const outcomes = await within(5000, Promise.allSettled(statements));
    expect(outcomes).toMatchObject([
      { value: [{ who: 'ahead' }] },
      { status: 'rejected' },
      { value: [{ who: 'behind' }] },
    ]);
  });
});

describe('a cursor whose connection is lost between two pieces', () => {
  const numbers = (sql: Sql) => sql<{ n: number }[]>`select n from generate_series(1, 10) n`;

  test('throws: it does not end as if it had read everything', async () => {
    const sql = open();
    const read: number[] = [];
    const reading = async () => {
      for await (const rows of numbers(sql).cursor(4)) {
        read.push(...rows.map(({ n }) => n));
        await replaceSession(sql);
      }
    };
    expect(isTransient(await outcomeOf(reading()))).toBe(true);
    expect(read).toEqual([1, 2, 3, 4]);
  });

  test('leaves the session that follows alone when it is given up', async () => {
    const sql = open();
    for await (const _rows of numbers(sql).cursor(4)) {
      await replaceSession(sql);
      break;
    }
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }]);
    expect([...(await sql`select 2 as two`)]).toEqual([{ two: 2 }]);
  });

  test.each([
    ['has read', async () => {}],
    ['fails', () => Promise.reject(new Error('not read'))],
  ])('leaves the session that follows alone when its reader %s', async (_what, finish) => {
    const sql = open();
    const reader = Promise.withResolvers<void>();
    const reading = numbers(sql).cursor(4, async () => {
      await replaceSession(sql);
      reader.resolve();
      return finish();
    });
    expect(isTransient(await outcomeOf(reading))).toBe(true);
    await reader.promise;
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }]);
    expect([...(await sql`select 2 as two`)]).toEqual([{ two: 2 }]);
  });
});
