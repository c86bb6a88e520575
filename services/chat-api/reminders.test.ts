import { afterAll, expect, test } from 'bun:test';
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

test('a reminder counts from two minutes after it was due until it is sent, a snoozed one from its later time', async () => {
  const userId = crypto.randomUUID();
  await database.sql`insert into users (id, email, password_hash) values (${userId}, ${`${userId}@example.com`}, 'hash')`;
  const task = async (title: string, due: string, snoozed: string | null = null) => {
    const id = crypto.randomUUID();
    await sql`
      insert into tasks (id, user_id, title, due_date, reminder_offset, reminder_status, snoozed_until)
      values (${id}, ${userId}, ${title}, now() - ${due}::interval, '0', 'pending', now() - ${snoozed}::interval)`;
    return id;
  };
  await task('not yet', '1 minute');
  await task('snoozed into the future', '1 hour', '-5 minutes');
  expect(await overdue()).toBe(0);
  const late = await task('late', '3 minutes');
  await task('snoozed, and late again', '1 hour', '3 minutes');
  expect(await overdue()).toBe(2);
  await sql`update tasks set reminder_status = 'sent' where id = ${late}`;
  expect(await overdue()).toBe(1);
});

test('is counted by an index, however many tasks there are', async () => {
  const plan = await database.sql.begin(async (tx) => {
    await tx`set local enable_seqscan = off`; // a planner that has few rows reads them all
    return tx`explain select count(*) from tasks
      where reminder_status = 'pending' and coalesce(snoozed_until, due_date) < now() - interval '2 minutes'`;
  });
  expect(plan.map((row) => String(row['QUERY PLAN'])).join('\n')).toContain('tasks_pending_reminders');
});
