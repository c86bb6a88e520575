import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { signUp } from '../support/person.ts';
import { createSidecars } from '../support/sidecars.ts';
import { singleDeliveries } from '../support/single.ts';
import { type RunningStack, startStack } from '../support/stack.ts';

// As it is on the way to batches and on the way back: consumers of this version, subscriptions that bring each event alone.

let manifests: string;
let stack: RunningStack;
beforeAll(async () => {
  manifests = await singleDeliveries();
  stack = await startStack({ createSidecarsWith: (options) => createSidecars({ ...options, manifests }) });
});
afterAll(async () => {
  await stack?.stop();
  await rm(manifests, { recursive: true });
});

test('events that come one by one are each handled once, and a poison one is a dead letter', async () => {
  const { sql } = stack.database;
  const me = await signUp(stack);
  const due_date = new Date(Date.now() + 3_600_000).toISOString();
  const reminding = { due_date, reminder_offset: '2 hours' };
  const titles = Array.from({ length: 20 }, (_, i) => `Task ${i}`);
  await Promise.all(titles.map((title) => me.ask('POST', '/tasks', { title, ...reminding })));
  const poison = { event_type: 'task.created', user_id: me.id };
  const id = await stack.publishRaw('chat-api', 'taskflow.tasks.created', poison);
  await stack.settled();

  const [kept] = await sql`
    select (select count(*) from notifications where user_id = ${me.id})::int as inbox,
           (select count(*) from task_events where user_id = ${me.id})::int as audit,
           (select count(*) from reminder_schedule where user_id = ${me.id} and published_at is not null)::int as reminders,
           (select count(*) from tasks where user_id = ${me.id} and reminder_status = 'sent')::int as sent`;
  const events = 2 * titles.length; // each its creation and its reminder
  expect(kept).toEqual({ inbox: events, audit: events, reminders: titles.length, sent: titles.length });
  const buried = async () =>
    (await sql`select app_id from dead_letters where event_id = ${id} order by 1`).map((row) => row.app_id as string);
  expect(await buried()).toEqual(['audit-logger', 'notification-service', 'reminder-service']);
  const text = await (await fetch(`http://127.0.0.1:${stack.ports['audit-logger']}/metrics`)).text();
  expect(text).toMatch(/^taskflow_consumer_batch_events_bucket\{le="1",.*\} 40$/m);
});
