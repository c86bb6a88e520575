import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { connect } from '#shared/db';
import { createMetrics } from '#shared/metrics';
import { createDatabase } from '../../test/support/database.ts';
import { observeOverdue } from './reminders.ts';

const database = await createDatabase();
const sql = connect(database.url('chat-api'), { name: 'test', max: 2 });
afterAll(async () => {
  await sql.end();
  await database.drop();
});

async function overdue(): Promise<number> {
  const metrics = createMetrics('chat-api', { version: '0', commit: 'test' });
  observeOverdue(sql, metrics);
  const [, value] = /^taskflow_reminders_overdue\{.*\} (\S+)$/m.exec(await metrics.text()) ?? [];
  return Number(value);
}

async function aPerson(): Promise<string> {
  const id = crypto.randomUUID();
  await database.sql`insert into users (id, email, password_hash) values (${id}, ${`${id}@example.com`}, 'hash')`;
  return id;
}

/** A pending reminder of a task that was due so long ago. @returns its id */
async function remind(
  userId: string,
  dueAgo: string,
  {
    offset = '0',
    snoozedAgo = null,
    allDay = false,
  }: { offset?: string; snoozedAgo?: string | null; allDay?: boolean } = {},
): Promise<string> {
  const id = crypto.randomUUID();
  await sql`
    insert into tasks (id, user_id, title, due_date, due_all_day, reminder_offset, reminder_status, snoozed_until)
    values (${id}, ${userId}, 'Remind me', now() - ${dueAgo}::interval, ${allDay}, ${offset}, 'pending', now() - ${snoozedAgo}::interval)`;
  return id;
}

describe('a reminder counts', () => {
  beforeEach(async () => {
    await database.sql`delete from tasks`;
  });

  test('from two minutes after it was due until it is sent, a snoozed one from its later time', async () => {
    const userId = await aPerson();
    await remind(userId, '1 minute');
    await remind(userId, '1 hour', { snoozedAgo: '-5 minutes' });
    expect(await overdue()).toBe(0);
    const late = await remind(userId, '3 minutes');
    await remind(userId, '1 hour', { snoozedAgo: '3 minutes' });
    expect(await overdue()).toBe(2);
    await sql`update tasks set reminder_status = 'sent' where id = ${late}`;
    expect(await overdue()).toBe(1);
  });

  test('by its own time and not by the due date: hours before it to the minute, days before it within an hour', async () => {
    const userId = await aPerson();
    await remind(userId, '-01:59', { offset: '2 hours' });
    await remind(userId, '-1 day', { offset: '1 day' });
    expect(await overdue()).toBe(0);
    await remind(userId, '-01:57', { offset: '2 hours' });
    await remind(userId, '-22:57', { offset: '1 day' });
    expect(await overdue()).toBe(2);
  });

  test('of a mere date from 09:00 of that day, within an hour', async () => {
    const userId = await aPerson();
    await remind(userId, '-15:00', { allDay: true });
    expect(await overdue()).toBe(0);
    await remind(userId, '-13:57', { allDay: true });
    expect(await overdue()).toBe(1);
  });

  test('not while its person is disabled: it waits until they are enabled again', async () => {
    const userId = await aPerson();
    await remind(userId, '1 hour');
    await database.sql`update users set disabled_at = now() where id = ${userId}`;
    expect(await overdue()).toBe(0);
    await database.sql`update users set disabled_at = null where id = ${userId}`;
    expect(await overdue()).toBe(1);
  });
});

test('is counted by an index, however many tasks there are', async () => {
  const plan = await database.sql.begin(async (tx) => {
    await tx`set local enable_seqscan = off`; // a planner that has few rows reads them all
    return tx`explain select count(*) from tasks
      where reminder_status = 'pending' and latest_reminder_at(snoozed_until, due_date, due_all_day, reminder_offset) < now()`;
  });
  expect(plan.map((row) => String(row['QUERY PLAN'])).join('\n')).toContain('tasks_pending_reminders');
});
