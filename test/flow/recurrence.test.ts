import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Json, type Person, signUp } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';

const SERIES = 1000;
const DAY_MS = 86_400_000;

let stack: RunningStack;
let me: Person;
beforeAll(async () => {
  stack = await startStack({
    only: ['chat-api', 'recurring-task-processor', 'notification-service'],
    replicas: { 'recurring-task-processor': 2 },
    settings: { 'recurring-task-processor': { TICK_SECONDS: '1' } },
  });
  me = await signUp(stack);
});
afterAll(() => stack?.stop());

test('two processors at once make each instance of 1,000 due series once, with its event', async () => {
  await stack.stopOne('recurring-task-processor');
  await stack.stopOne('recurring-task-processor#2');
  // Due yesterday at this hour and daily since: today's instance lies within the horizon of a day.
  const due = new Date(Date.now() - DAY_MS).toISOString();
  for (let i = 0; i < SERIES; i += 100) {
    const tasks = Array.from({ length: 100 }, (_, n) => ({
      title: `Series ${i + n}`,
      due_date: due,
      timezone: 'UTC',
      recurrence_pattern: 'daily:',
    }));
    const results = await me.ask<Json[] | { results: Json[] }>('POST', '/tasks/batch', { tasks });
    const list = Array.isArray(results) ? results : results.results;
    expect(list.map(({ status }) => status)).toEqual(list.map(() => 201));
  }
  const { sql } = stack.database;
  const count = async () =>
    (await sql`select count(*)::int as n from tasks where parent_recurring_task_id is not null`)[0]?.n as number;
  expect(await count()).toBe(SERIES); // the first instance comes with its series

  await Promise.all([stack.start('recurring-task-processor'), stack.start('recurring-task-processor#2')]);
  await eventually(async () => (await sql`select 1 from tasks where next_instance_at <= now()`).length === 0, {
    ms: 60_000,
    what: 'no series to be due',
  });

  const today = new Date().toISOString().slice(0, 10);
  const [row] = await sql`
    select count(*)::int as instances, count(distinct (parent_recurring_task_id, occurrence_date))::int as dates,
           count(*) filter (where occurrence_date >= ${today})::int as new
    from tasks where parent_recurring_task_id is not null`;
  expect(row?.instances).toBe(row?.dates);
  expect(row?.new).toBeGreaterThanOrEqual(SERIES);
  const [events] = await sql`
    select count(*)::int as events from outbox where event -> 'task' ->> 'parent_recurring_task_id' is not null and event_type = 'task.created'`;
  expect(events?.events).toBe(row?.instances);

  await stack.settled();
  // Instances made for one's own series are told, but are not news.
  const [inbox] =
    await sql`select count(*) filter (where notify)::int as notices, count(*)::int as rows from notifications where user_id = ${me.id}`;
  expect(inbox).toEqual({ notices: 0, rows: SERIES + Number(row?.instances) });
}, 120_000);

test('a deleted instance never comes back', async () => {
  const series = await me.ask<{ id: string }>('POST', '/tasks', {
    title: 'Gone is gone',
    due_date: new Date(Date.now() + 3_600_000).toISOString(),
    recurrence_pattern: 'daily:',
  });
  const [instance] = await me.ask<{ id: string }[]>('GET', `/tasks?parent=${series.id}`);
  expect((await me.call('DELETE', `/tasks/${instance?.id}`)).status).toBe(204);
  await stack.database.sql`update tasks set next_instance_at = now() where id = ${series.id}`; // let both processors look again
  await eventually(
    async () =>
      (await stack.database.sql`select 1 from tasks where id = ${series.id} and next_instance_at > now()`).length === 1,
  );
  const dates = (await me.ask<Json[]>('GET', `/tasks?parent=${series.id}`)).map(({ id }) => id);
  expect(dates).not.toContain(instance?.id);
});

test('a deleted series takes its instances along, each with its event', async () => {
  const series = await me.ask<{ id: string }>('POST', '/tasks', {
    title: 'All gone',
    due_date: new Date(Date.now() + 3_600_000).toISOString(),
    recurrence_pattern: 'daily:',
  });
  expect((await me.call('DELETE', `/tasks/${series.id}`)).status).toBe(204);
  expect(await me.ask<Json[]>('GET', `/tasks?parent=${series.id}`)).toEqual([]);
  const rows = await stack.database.sql`
    select event_type, count(*)::int as n from outbox
    where task_id = ${series.id} or event -> 'task' ->> 'parent_recurring_task_id' = ${series.id} group by 1 order by 1`;
  expect([...rows]).toEqual([
    { event_type: 'task.created', n: 2 },
    { event_type: 'task.deleted', n: 2 },
  ]);
});
