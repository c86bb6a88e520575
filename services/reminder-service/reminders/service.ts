import type { Sql } from '#shared/db';
import type { NextReminder } from './model.ts';
import { type Reasoned, why } from './why.ts';

type Row = Reasoned & Pick<NextReminder, 'task_id' | 'title'>;

/** The reminders a person can still expect, the nearest first, each with its reason. */
export async function nextReminders(sql: Sql, userId: string, limit: number, now: Date): Promise<NextReminder[]> {
  const rows = await sql<Row[]>`
    select task_id, title, trigger_at, due_date, offset_triggered as offset from reminder_schedule
    where user_id = ${userId} and status = 'pending'
    order by trigger_at, task_id limit ${limit}`;
  return rows.map((row) => ({ ...row, trigger_at: row.trigger_at.toISOString(), why: why(row, now) }));
}
