import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { connect, type Pool } from '#shared/db';
import type { TaskEvent } from '#shared/events';
import { createLog } from '#shared/log';
import { createDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createChanges } from './changes.ts';

let database: TestDatabase;
let sql: Pool;
let userId: string;
let wakes = 0;
let changes: ReturnType<typeof createChanges>;

beforeAll(async () => {
  database = await createDatabase();
  sql = connect(database.url('chat-api'), { name: 'test', max: 4, publishes: true });
  changes = createChanges({ sql, log: createLog('test', { level: 'error' }), committed: () => void (wakes += 1) });
});
beforeEach(async () => {
  userId = crypto.randomUUID();
  await database.sql`insert into users (id, email, password_hash) values (${userId}, ${`${userId}@example.com`}, '')`;
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

/** As Phase IV does it: over a connection that announces nothing. */
async function insertTask(title = 'Old'): Promise<string> {
  const id = crypto.randomUUID();
  await database.sql`insert into tasks (id, user_id, title) values (${id}, ${userId}, ${title})`;
  return id;
}

async function eventsOf(id: string): Promise<TaskEvent[]> {
  const rows = await database.sql<{ event: TaskEvent }[]>`
    select event from outbox where task_id = ${id} order by task_version`;
  return rows.map(({ event }) => event);
}

const versionOf = async (id: string) => (await database.sql`select version, title from tasks where id = ${id}`)[0];

describe('runOnce', () => {
  test('makes events of what Phase IV did, in order and numbered', async () => {
    const id = await insertTask();
    await database.sql`update tasks set title = 'New', updated_at = now() where id = ${id}`;
    await database.sql`update tasks set completed = true where id = ${id}`;
    await database.sql`delete from tasks where id = ${id}`;
    const before = wakes;
    expect(await changes.runOnce()).toBe(4);
    expect(await eventsOf(id)).toMatchObject([
      { event_type: 'task.created', task_version: 1, task: { title: 'Old' }, recipients: [userId] },
      { event_type: 'task.updated', task_version: 2, changes: { title: { old: 'Old', new: 'New' } } },
      { event_type: 'task.completed', task_version: 3, actor: { type: 'service', id: 'chat-api' } },
      { event_type: 'task.deleted', task_version: 4, task: { title: 'New', completed: true } },
    ]);
    expect(wakes).toBe(before + 1);
    expect(await changes.runOnce()).toBe(0);
  });

  test('numbers on from the task, leaves the row as it is, and goes on over several runs', async () => {
    const id = await insertTask();
    await changes.runOnce();
    expect(await versionOf(id)).toEqual({ version: 1, title: 'Old' });
    await database.sql`update tasks set title = 'New' where id = ${id}`;
    await changes.runOnce();
    expect(await versionOf(id)).toEqual({ version: 2, title: 'New' });
    expect((await eventsOf(id)).map(({ task_version }) => task_version)).toEqual([1, 2]);
  });

  test('reads rows that were kept before the table had its newest columns', async () => {
    const id = await insertTask();
    await changes.runOnce();
    await database.sql`
      update tasks set due_date = '2027-01-04T09:00:00Z', recurrence_pattern = 'daily:',
        recurrence_end_date = '2027-01-06T23:59:59.999Z', recurrence_end_day = '2027-01-06' where id = ${id}`;
    await database.sql`
      update unpublished_changes set old_row = old_row - 'recurrence_end_day', new_row = new_row - 'recurrence_end_day'`;
    await database.sql`update tasks set title = 'New' where id = ${id}`;
    await changes.runOnce();
    const ends = (await eventsOf(id)).map((event) => 'task' in event && event.task.recurrence_end_date);
    expect(ends).toEqual([null, '2027-01-06T23:59:59.999Z', '2027-01-06']);
  });

  test('cancels the reminder of a task that Phase IV completed', async () => {
    const id = await insertTask();
    await sql`
      update tasks set due_date = now() + interval '1 day', reminder_offset = 'PT1H', reminder_status = 'pending' where id = ${id}`;
    await changes.runOnce();
    await database.sql`update tasks set completed = true where id = ${id}`;
    await changes.runOnce();
    const [row] = await database.sql`select reminder_status from tasks where id = ${id}`;
    expect(row).toEqual({ reminder_status: 'cancelled' });
    expect((await eventsOf(id)).at(-1)).toMatchObject({
      task: { reminder_offset: 'PT1H', reminder_status: 'cancelled' },
    });
  });

  test('publishes nothing for a change that no event shows', async () => {
    const id = await insertTask();
    await changes.runOnce();
    await database.sql`update tasks set updated_at = now() where id = ${id}`;
    expect(await changes.runOnce()).toBe(1);
    expect(await eventsOf(id)).toHaveLength(1);
  });

  test('tells the present state last when somebody who publishes was faster', async () => {
    const id = await insertTask();
    await changes.runOnce();
    await database.sql`update tasks set title = 'by hand' where id = ${id}`;
    await sql`update tasks set title = 'present' where id = ${id}`;
    await changes.runOnce();
    expect((await eventsOf(id)).at(-1)).toMatchObject({ task: { title: 'present' } });
    expect(await versionOf(id)).toEqual({ version: 2, title: 'present' });
  });

  test('from two replicas at once makes each event once', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => insertTask()));
    const read = await Promise.all([changes.runOnce(), changes.runOnce(), changes.runOnce()]);
    expect(read.reduce((a, b) => a + b)).toBe(10);
    for (const id of ids) expect(await eventsOf(id)).toHaveLength(1);
  });
});
