import { afterAll, describe, expect, test } from 'bun:test';
import { within } from '#shared/db';
import { createDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/wait.ts';
import { startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database, { atOnce: 4, pool: 5 });
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const waiting = async (event: string): Promise<number> => {
  const [row] = await database.sql<{ count: number }[]>`
    select count(*) from pg_stat_activity where datname = current_database() and wait_event = ${event}`;
  return Number(row?.count);
};

/** What one user asks for at once leaves connections to others. Before, a pool of any size was one user's. */
describe('a user who asks for much at once', () => {
  test('holds no more than his share of the connections, and the rest waits', async () => {
    const [ada, bob] = [await api.person(), await api.person()];
    const { id } = (await ada.call('POST', '/tasks', { title: 'T' })).body as { id: string };
    const { answer, changes } = await database.sql.begin(async (tx) => {
      await tx`select 1 from tasks where id = ${id} for update`;
      const changes = Array.from({ length: 12 }, (_, i) => ada.call('PATCH', `/tasks/${id}`, { title: `T${i}` }));
      await eventually(async () => (await waiting('transactionid')) + (await waiting('tuple')) >= 4);
      const answer = await within(2000, bob.call('GET', '/tasks'));
      return { answer, changes };
    });
    expect(answer.status).toBe(200);
    expect((await Promise.all(changes)).map(({ status }) => status)).toEqual(Array(12).fill(200));
  });

  test('searches once at a time, since a search reads all that the user has', async () => {
    const ada = await api.person();
    await ada.call('POST', '/tasks', { title: 'T' });
    await database.sql`
      create or replace function search_form(given text) returns text language plpgsql as
      'begin perform pg_advisory_xact_lock_shared(42); return given; end'`;
    const searches = await database.sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(42)`;
      const begun = Array.from({ length: 3 }, () => ada.call('GET', '/tasks?q=T&limit=1'));
      await eventually(async () => (await waiting('advisory')) > 0);
      expect((await ada.call('GET', '/tasks')).status).toBe(200); // whoever searches can have a list beside it
      expect(await waiting('advisory')).toBe(1);
      return { begun };
    });
    expect((await Promise.all(searches.begun)).map(({ list }) => list.length)).toEqual([1, 1, 1]);
  });
});
