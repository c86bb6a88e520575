import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { connect, type Pool } from '#shared/db';
import type { TaskEvent } from '#shared/events';
import { createLog } from '#shared/log';
import { createMetrics } from '#shared/metrics';
import { createDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { createChangePublisher } from './publisher.ts';

let database: TestDatabase;
let sql: Pool;
let userId: string;
let wakes = 0;
let changes: ReturnType<typeof createChangePublisher>;
const metrics = createMetrics('chat-api', { version: 'test', commit: 'test' });
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  database = await createDatabase();
  sql = connect(database.url('chat-api'), { name: 'test', max: 4, publishes: true });
  const log = createLog('test', { level: 'error', write: (line) => lines.push(JSON.parse(line)) });
  changes = createChangePublisher({ sql, log, metrics, committed: () => void (wakes += 1) });
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

  test('keeps the date of an instance that Phase IV deleted from coming back', async () => {
    const seriesId = crypto.randomUUID();
    const instanceId = crypto.randomUUID();
    await sql`
      insert into tasks (id, user_id, title, due_date, due_all_day, timezone, recurrence_pattern, version)
      values (${seriesId}, ${userId}, 'Water', '2026-12-01T10:00:00Z', false, 'UTC', 'daily:', 1)`;
    await sql`
      insert into tasks (id, user_id, title, due_date, due_all_day, timezone, parent_recurring_task_id, occurrence_date, version)
      values (${instanceId}, ${userId}, 'Water', '2026-12-02T10:00:00Z', false, 'UTC', ${seriesId}, '2026-12-02', 1)`;
    await database.sql`delete from tasks where id = ${instanceId}`;
    await changes.runOnce();
    const [series] = await database.sql`select exdates::text, version from tasks where id = ${seriesId}`;
    expect(series).toEqual({ exdates: '{2026-12-02}', version: 1 });
    expect((await eventsOf(instanceId)).map(({ event_type }) => event_type)).toEqual(['task.deleted']);
    expect(await changes.runOnce()).toBe(0);
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

describe('a change that cannot become an event', () => {
  const parked = () => database.sql<{ task_id: string; seq: string; parked_reason: string }[]>`
    select task_id, seq, parked_reason from unpublished_changes where parked_at is not null order by seq`;
  const waits = async (id: string) =>
    (await database.sql`select 1 from unpublished_changes where task_id = ${id}`).length;
  afterEach(async () => {
    await database.sql`delete from unpublished_changes`;
    lines.length = 0;
  });

  /** A change as somebody wrote it into the table by hand. */
  const record = (taskId: string, operation: string, old: unknown, next: unknown) => database.sql`
    insert into unpublished_changes (operation, task_id, old_row, new_row)
    values (${operation}, ${taskId}, ${database.sql.json(old as never)}, ${database.sql.json(next as never)})`;
  const rowOf = async (id: string) =>
    (await database.sql<{ row: object }[]>`select to_jsonb(tasks) as row from tasks where id = ${id}`)[0]?.row ?? {};

  test('is parked with its reason, and the others flow', async () => {
    const good = await insertTask();
    const id = await insertTask();
    const row = await rowOf(id);
    await database.sql`delete from unpublished_changes where task_id = ${id}`;
    const cases: [string, string, unknown, unknown][] = [
      ['new_row: does not go with INSERT', 'INSERT', null, null],
      ['old_row: does not go with UPDATE', 'UPDATE', null, row],
      ['new_row: does not go with DELETE', 'DELETE', row, row],
      ['old_row.user_id: is missing', 'DELETE', { id }, null],
      ['old_row.id: is not the task_id of the change', 'DELETE', { ...row, id: good }, null],
      ['old_row.created_at: not a time that an event can carry', 'DELETE', { ...row, created_at: 'infinity' }, null],
      ['invalid input syntax for type timestamp with time zone: "soon"', 'DELETE', { ...row, due_date: 'soon' }, null],
      ['on a scalar', 'DELETE', 'a task', null],
      ['is out of range for type integer', 'UPDATE', { ...row, title: 'x', version: 2_147_483_647 }, row],
    ];
    for (const [reason, operation, old, next] of cases) {
      await record(id, operation, old, next);
      const other = await insertTask();
      await changes.runOnce();
      expect((await parked()).map(({ parked_reason }) => parked_reason)).toEqual([expect.stringContaining(reason)]);
      expect((await eventsOf(other)).map(({ task_version }) => task_version)).toEqual([1]);
      await database.sql`delete from unpublished_changes`;
    }
    expect(await eventsOf(id)).toEqual([]);
    expect(await eventsOf(good)).toHaveLength(1);
  });

  test('by a zone that there is not, set by hand, is parked', async () => {
    const id = await insertTask();
    await database.sql`
      update tasks set due_date = now() + interval '1 day', due_all_day = true, timezone = 'Mars/Phobos' where id = ${id}`;
    const other = await insertTask();
    await changes.runOnce();
    expect((await parked()).map(({ task_id }) => task_id)).toEqual([id]);
    expect(await eventsOf(other)).toHaveLength(1);
  });

  test('holds back what follows of its task, keeps what came before, and is looked at once', async () => {
    const id = await insertTask('First');
    await database.sql`update tasks set title = 'Second' where id = ${id}`;
    await database.sql`update tasks set due_date = 'infinity', reminder_offset = 'PT1H' where id = ${id}`;
    await database.sql`
      update tasks set due_date = null, reminder_offset = null, title = 'Third', reminder_status = 'acknowledged' where id = ${id}`;
    expect(await changes.runOnce()).toBe(3);
    expect(await eventsOf(id)).toMatchObject([
      { event_type: 'task.created', task_version: 1, task: { title: 'First' } },
      { event_type: 'task.updated', task_version: 2, changes: { title: { old: 'First', new: 'Second' } } },
    ]);
    const present = await database.sql`select version, title, reminder_status from tasks where id = ${id}`;
    expect([...present]).toEqual([{ version: 2, title: 'Third', reminder_status: 'acknowledged' }]);
    expect(await waits(id)).toBe(2);
    expect(await changes.runOnce()).toBe(0);
    expect(lines).toMatchObject([{ message: 'unpublished change parked', task_id: id, operation: 'UPDATE' }]);
    expect(lines[0]?.reason).toBe('new_row.due_date: not a time that an event can carry');
    const text = await metrics.text();
    expect(text).toMatch(/taskflow_unpublished_changes_parked\{[^}]*\} 1/);
    expect(text).toMatch(/taskflow_unpublished_changes_waiting\{[^}]*\} 2/);
    expect(text).toMatch(/taskflow_unpublished_changes_oldest_seconds\{[^}]*\} \d{1,2}\.\d/);
  });

  test('parks nothing when the right to write events is what is missing', async () => {
    const id = await insertTask();
    await database.sql`revoke insert on outbox from taskflow_chat_api`;
    await expect(changes.runOnce()).rejects.toThrow('permission denied for table outbox');
    await database.sql`grant insert on outbox to taskflow_chat_api`;
    expect(await parked()).toHaveLength(0);
    expect(await changes.runOnce()).toBe(1);
    expect(await eventsOf(id)).toHaveLength(1);
  });

  test('of two replicas at once is parked once', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => insertTask()));
    await record(crypto.randomUUID(), 'INSERT', null, null);
    await Promise.all([changes.runOnce(), changes.runOnce(), changes.runOnce()]);
    await changes.runOnce();
    for (const id of ids) expect(await eventsOf(id)).toHaveLength(1);
    expect(await parked()).toHaveLength(1);
    expect(lines).toHaveLength(1);
  });
});
