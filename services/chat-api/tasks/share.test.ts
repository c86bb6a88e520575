import { afterAll, describe, expect, test } from 'bun:test';
import { within } from '#shared/db';
import { createDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/wait.ts';
import { startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database, { atOnce: 8, pool: 6 });
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
  test('holds fewer than half of the connections, whatever the setting says, and the rest waits', async () => {
    const [ada, bob] = [await api.person(), await api.person()];
    const { id } = (await ada.call('POST', '/tasks', { title: 'T' })).body as { id: string };
    const { answer, changes } = await database.sql.begin(async (tx) => {
      await tx`select 1 from tasks where id = ${id} for update`;
      const changes = Array.from({ length: 12 }, (_, i) => ada.call('PATCH', `/tasks/${id}`, { title: `T${i}` }));
      await eventually(async () => (await waiting('transactionid')) + (await waiting('tuple')) >= 2);
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

  test('has the dates of his rules sought one after the other: whoever asks later and for less has his answer before', async () => {
    const [ada, bob] = [await api.person(), await api.person()];
    const rare = { recurrence_pattern: 'rrule:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29', timezone: 'UTC' };
    const answered: string[] = [];
    const preview = (year: number) =>
      ada
        .call('POST', '/recurrence/preview', { ...rare, due_date: `${year}-03-01T09:00:00Z`, limit: 20 })
        .then(({ status }) => answered.push(`ada ${status}`));
    const previews = Array.from({ length: 20 }, (_, i) => preview(2026 + i));
    await Promise.race(previews); // they may come in another order
    const { status } = await bob.call('GET', '/tasks?limit=1');
    answered.push(`bob ${status}`);
    expect((await ada.call('GET', '/tasks?limit=1')).status).toBe(200); // the previews keep no other request waiting
    answered.push('ada too');
    await Promise.all(previews);
    expect(answered.indexOf('bob 200')).toBeLessThan(14);
    expect(answered.indexOf('ada too')).toBeLessThan(18);
    expect(answered).toHaveLength(22);
  });

  test.each([
    ['changed', 'PATCH', { title: 'New' }, 200],
    ['deleted', 'DELETE', undefined, 204],
  ])('has one series %s at a time, with all its instances', async (_what, method, body, expected) => {
    const ada = await api.person();
    const series = { title: 'T', due_date: '2026-12-01', recurrence_pattern: 'daily:' };
    const made = await Promise.all([1, 2, 3].map(() => ada.call('POST', '/tasks', series)));
    const { begun } = await database.sql.begin(async (tx) => {
      await tx`lock table tasks in exclusive mode`; // tasks can be read, and none be locked
      const begun = made.map(({ body: { id } }) => ada.call(method, `/tasks/${id}`, body));
      await eventually(async () => (await waiting('relation')) > 0);
      expect((await ada.call('GET', '/tasks')).status).toBe(200);
      expect(await waiting('relation')).toBe(1);
      return { begun };
    });
    expect((await Promise.all(begun)).map(({ status }) => status)).toEqual(Array(3).fill(expected));
  });

  test('has one batch made at a time', async () => {
    const ada = await api.person();
    const tasks = Array.from({ length: 100 }, (_, i) => ({ title: `T${i}` }));
    const { begun } = await database.sql.begin(async (tx) => {
      await tx`lock table tasks in share mode`; // nothing is inserted meanwhile
      const begun = ['1', '2', '3'].map((key) =>
        ada.call('POST', '/tasks/batch', { tasks }, { 'idempotency-key': key }),
      );
      await eventually(async () => (await waiting('relation')) > 0);
      expect((await ada.call('GET', '/tasks')).status).toBe(200);
      expect(await waiting('relation')).toBe(1);
      return { begun };
    });
    expect((await Promise.all(begun)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

/** Whoever was told that nothing was done sends it again. Before, what waited for its turn was done all the same. */
describe('what waited for its turn until it was answered 503', () => {
  const hurried = startApi(database, { atOnce: 1, answerMs: 200 });
  afterAll(() => hurried.stop());

  test.each([
    ['a task', '/tasks', 201, (title: string) => ({ title })],
    ['a batch', '/tasks/batch', 200, (title: string) => ({ tasks: [{ title }] })],
  ])('is not done after that: %s', async (_name, path, done, body) => {
    const ada = await hurried.person();
    await database.sql.begin(async (tx) => {
      await tx`lock table tasks in share mode`; // nothing is inserted meanwhile
      const first = ada.call('POST', path, body('begun'));
      await eventually(async () => (await waiting('relation')) > 0);
      const others = ['2', '3'].map((title) => ada.call('POST', path, body(title)));
      expect((await Promise.all([first, ...others])).map(({ status }) => status)).toEqual([503, 503, 503]);
    });
    await eventually(async () => (await ada.call('POST', path, body('again'))).status === done);
    // Again may be done and answered 503: it had begun.
    const titles = (await ada.call('GET', '/tasks')).list.map(({ title }) => title);
    expect(new Set(titles)).toEqual(new Set(['again', 'begun']));
  });
});
