import { afterAll, expect, test } from 'bun:test';
import { connect } from '#shared/db';
import { createDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/wait.ts';
import { silentStreams } from '../fixtures/silent-streams.ts';
import { endUnauthorized, lookForRows } from './watch.ts';

const STREAMS = 2000;
/** After five the server plans without looking at what it is asked for. */
const LOOKS = 7;

const database = await createDatabase();
afterAll(() => database.drop());

test('a look for rows asks for those of all users together, not for those of each', async () => {
  const { sql: admin } = database;
  const logins = await admin<{ userId: string; sid: string }[]>`
    with people as (insert into users (id, email, password_hash)
      select gen_random_uuid(), n || '@example.com', '' from generate_series(1, ${STREAMS}) n returning id),
    counted as (insert into notification_counters (user_id, last_seq) select id, 1 from people)
    insert into sessions (id, user_id) select gen_random_uuid(), id from people
    returning user_id as "userId", id as sid`;
  await admin`analyze`;
  const sql = connect(database.url('notification-service'), { name: 'looks', max: 1 });
  const connections = silentStreams(sql, logins);
  for (let n = 0; n < LOOKS; n++) {
    await lookForRows({ sql, connections });
    await endUnauthorized({ sql, connections }, new Date());
  }
  expect([...connections.audiences()].map(({ head }) => head)).toEqual(Array(STREAMS).fill(1));
  connections.stop();
  await sql.end();
  // A connection that ends has told what it looked up.
  const lookups = await eventually(async () => {
    const now = await lookupsByTable();
    return (now.get('sessions') ?? 0) >= LOOKS && now;
  });
  const [server] = await admin<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
  // Before 17 an index is asked for each element of an array, and counts that.
  const most = (server?.version ?? 0) >= 170_000 ? 3 * LOOKS : Infinity;
  for (const table of ['notification_counters', 'notification_preferences'])
    expect(lookups.get(table)).toBeWithin(1, most);
});

async function lookupsByTable(): Promise<Map<string, number>> {
  const rows = await database.sql<{ table: string; n: number }[]>`
    select relname as table, (coalesce(idx_scan, 0) + seq_scan)::float8 as n from pg_stat_user_tables`;
  return new Map(rows.map(({ table, n }) => [table, n]));
}
