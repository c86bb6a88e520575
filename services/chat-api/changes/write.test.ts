import { afterAll, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/wait.ts';
import { startApi } from '../tasks/fixture.ts';
import { changed } from './change.ts';
import { type ReadRow, readTask } from './task-row.ts';
import { updateUnchanged } from './write.ts';

const database = await createDatabase();
afterAll(() => database.drop());

const FEW = 200;
/** So many that Postgres, which takes every list in JSON for a hundred rows, would rather read them all. */
const MANY = 3000;

/** Rows that connections which ended have read. */
async function rowsRead(): Promise<{ tasks: number; outbox: number }> {
  const rows = await database.sql<{ table: string; n: number }[]>`
    select relname as table, (coalesce(idx_tup_fetch, 0) + seq_tup_read)::float8 as n from pg_stat_user_tables
    where relname in ('tasks', 'outbox')`;
  return { tasks: 0, outbox: 0, ...Object.fromEntries(rows.map(({ table, n }) => [table, n])) };
}

const allHaveEnded = async () => {
  const sessions = await database.sql`
    select from pg_stat_activity where application_name = 'test' and datname = current_database()`;
  return sessions.length === 0;
};

test('a change reads the rows of its own task, however many others there are', async () => {
  const api = startApi(database, { pool: 1 });
  const ada = await api.person();
  const daily = { title: 'Water', due_date: '2026-11-24', recurrence_pattern: 'daily:' };
  const tasks = [{ title: 'Pay' }, ...Array(20).fill(daily)];
  const created = (await ada.call('POST', '/tasks/batch', { tasks })).body as { results: { task: { id: string } }[] };
  const [task, ...series] = created.results.map((each) => each.task.id);
  await database.sql.begin(async (tx) => {
    await tx`set local taskflow.publishes = 'on'`;
    await tx`
      insert into tasks (id, user_id, title, version)
      select gen_random_uuid(), ${ada.id}, 'One of many', 1 from generate_series(1, ${MANY}::int)`;
  });
  await database.sql`vacuum analyze tasks`;
  // As after a burst: the planner still takes the outbox for empty.
  await database.sql`
    insert into outbox (event_id, event_type, task_id, task_version, event, sent_at)
    select gen_random_uuid(), 'task.created', gen_random_uuid(), 1, '{}', now() from generate_series(1, ${MANY}::int)`;
  const before = await rowsRead();

  expect((await ada.call('PATCH', `/tasks/${task}`, { title: 'Pay rent' })).status).toBe(200);
  expect((await ada.call('DELETE', `/tasks/${task}`)).status).toBe(204);
  const items = series.map((id) => ({ parent_recurring_task_id: id, occurrence_date: '2026-11-25' }));
  const made = (await api.asProcessor('POST', '/tasks/batch', { tasks: items })).body as {
    results: { status: number }[];
  };
  expect(made.results.map(({ status }) => status)).toEqual(items.map(() => 201));

  await api.stop();
  await eventually(allHaveEnded); // what a session has read is told whole when it ends
  const after = await rowsRead();
  expect(after.tasks - before.tasks).toBeGreaterThan(0);
  expect(after.tasks - before.tasks).toBeLessThan(FEW);
  expect(after.outbox - before.outbox).toBeLessThan(FEW);
});

test('a row that anybody has changed since it was read is not written, and no event of it', async () => {
  const api = startApi(database);
  const ada = await api.person();
  const { id } = (await ada.call('POST', '/tasks', { title: 'Pay' })).body as { id: string };
  const before = await readTask(api.sql, id, ada.id);
  const cause = {
    actor: { type: 'user' as const, id: ada.id },
    correlationId: ada.id,
    traceparent: null,
    now: new Date(),
  };
  const renamed = (row: ReadRow) => {
    const change = changed(row, { ...row, title: 'Pay rent' }, cause);
    if (!change) throw new Error('nothing to write');
    return change;
  };
  // As the reminder that was sent is noted: no new version, and no later time.
  await api.sql`update tasks set reminder_status = 'sent' where id = ${id}`;
  expect(await updateUnchanged(api.sql, before, renamed(before))).toBe(false);
  expect((await ada.call('GET', `/tasks/${id}`)).body.title).toBe('Pay');
  expect(await api.events(id)).toHaveLength(1);
  const now = await readTask(api.sql, id, ada.id);
  expect(await updateUnchanged(api.sql, now, renamed(now))).toBe(true);
  expect((await ada.call('GET', `/tasks/${id}`)).body).toMatchObject({ title: 'Pay rent', reminder_status: 'sent' });
  expect(await api.events(id)).toHaveLength(2);
  await api.stop();
});
