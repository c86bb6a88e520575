import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { createDatabase } from '../test/support/database.ts';
import { startRelay } from '../test/support/relay.ts';
import { eventually } from '../test/support/wait.ts';
import { connect, type Pool, type Sql, within } from './db.ts';

const database = await createDatabase();
const pools: Pool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end({ timeout: 0 });
});
afterAll(() => database.drop());

/** Of one connection, unless told otherwise: its sessions follow each other in the same place of the pool. */
function open({ url = database.url(), max = 1 } = {}): Pool {
  const pool = connect(url, { name: 'lost', max });
  pools.push(pool);
  return pool;
}

/** Ends the sessions of our pools as a failover does, and waits until the server knows none of them. */
const endSessions = () => database.sql`
  select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'lost'`;

/** A statement in whose course the server ends its session: first comes the error, then the end. */
const endOwnSession = (sql: Sql) => sql`select pg_terminate_backend(pg_backend_pid()), pg_sleep(10)`;

/** Resolves when a session of our pools is in the middle of `pg_sleep`. */
const isAsleep = () =>
  eventually(async () => {
    const [row] = await database.sql`
      select from pg_stat_activity where application_name = 'lost' and wait_event = 'PgSleep'`;
    return row;
  });

const closed = { code: 'CONNECTION_CLOSED' };
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'fulfilled',
    (error: unknown) => error,
  );
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
