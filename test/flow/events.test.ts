import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { deliveriesTaken } from '../support/deliveries.ts';
import { listen } from '../support/listen.ts';
import { type Json, type Person, signUp } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';

let stack: RunningStack;
let me: Person;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

describe('from POST to the SSE line', () => {
  test('created, updated, completed and deleted arrive in order, each with its task', async () => {
    me = await signUp(stack);
    const stream = await listen(stack, me);
    const created = await me.ask('POST', '/tasks', { title: 'Write the report' });
    const first = await stream.next();
    expect(first).toMatchObject({ id: '1', event: 'task.created' });
    expect(first.item).toMatchObject({
      id: 1,
      notify: false,
      event: {
        event_type: 'task.created',
        task_id: created.id,
        user_id: me.id,
        recipients: [me.id],
        actor: { type: 'user', id: me.id },
        task_version: 1,
        task: { title: 'Write the report', completed: false, due_date: null },
      },
    });

    await me.ask('PATCH', `/tasks/${created.id}`, { title: 'Write the summary' });
    await me.ask('PATCH', `/tasks/${created.id}`, { completed: true });
    expect((await me.call('DELETE', `/tasks/${created.id}`)).status).toBe(204);
    const rest = await stream.take(3);
    expect(new Set(rest.map(({ event }) => event))).toEqual(
      new Set(['task.updated', 'task.completed', 'task.deleted']),
    );
    const byType = Object.fromEntries(rest.map(({ event, item }) => [event, item.event as Json]));
    expect(byType['task.updated']).toMatchObject({
      task_version: 2,
      changes: { title: { old: 'Write the report', new: 'Write the summary' } },
    });
    expect(byType['task.completed']).toMatchObject({ task_version: 3, completed_at: expect.any(String) });
    expect(byType['task.deleted']).toMatchObject({
      task_version: 4,
      deleted_at: expect.any(String),
      task: { id: created.id },
    });
    stream.close();
  });

  test('a reminder fires at its time, never before, and notifies', async () => {
    me = await signUp(stack);
    const stream = await listen(stack, me);
    const due = inSeconds(64);
    const task = await me.ask('POST', '/tasks', { title: 'Call the bank', due_date: due, reminder_offset: '1 minute' });
    await stream.next();
    const reminder = await stream.next();
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(due) - 60_000);
    expect(reminder).toMatchObject({ event: 'task.reminder.triggered' });
    expect(reminder.item).toMatchObject({
      notify: true,
      read_at: null,
      event: {
        task_id: task.id,
        title: 'Call the bank',
        due_date: due,
        trigger_at: new Date(Date.parse(due) - 60_000).toISOString(),
        actor: { type: 'service', id: 'reminder-service' },
      },
    });
    await eventually(async () => (await me.ask('GET', `/tasks/${task.id}`)).reminder_status === 'sent');
    stream.close();
  });

  test('the correlation id of the request stands in answer, event and audit trail', async () => {
    me = await signUp(stack);
    const id = crypto.randomUUID();
    const answer = await me.call('POST', '/tasks', { title: 'Follow me' }, { 'x-correlation-id': id });
    const task = (await answer.json()) as { id: string };
    expect(answer.headers.get('x-correlation-id')).toBe(id);
    const trail = await eventually(async () => {
      const events = await me.ask<Json[]>('GET', `/audit/tasks/${task.id}`);
      return events.length > 0 && events;
    });
    expect(trail).toMatchObject([{ event_type: 'task.created', correlation_id: id }]);
  });

  test('an update that changes nothing publishes nothing', async () => {
    me = await signUp(stack);
    const task = await me.ask('POST', '/tasks', { title: 'Same' });
    await me.ask('PUT', `/tasks/${task.id}`, { title: 'Same' });
    await me.ask('PATCH', `/tasks/${task.id}`, { title: 'Other' });
    await stack.settled();
    const types = (await me.ask<Json[]>('GET', '/notifications')).map((item) => (item.event as Json).event_type);
    expect(types.toSorted()).toEqual(['task.created', 'task.updated']);
  });

  test("nobody sees another person's events", async () => {
    const [mine, other] = [await signUp(stack), await signUp(stack)];
    const stream = await listen(stack, other);
    await mine.ask('POST', '/tasks', { title: 'Private' });
    await stack.settled();
    const own = await other.ask('POST', '/tasks', { title: 'Mine' });
    expect((await stream.next()).item).toMatchObject({ id: 1, event: { task_id: own.id } });
    stream.close();
  });
});

describe('duplicates and order', () => {
  const receivers = ['notification-service', 'reminder-service', 'audit-logger'] as const;

  test('every consumer takes duplicated and reordered deliveries as if they had come once and in order', async () => {
    me = await signUp(stack);
    await stack.settled();
    const takenBefore = await Promise.all(receivers.map(takenBy));
    // Of these daprd can do nothing. What it does is below: an event comes again, and its topics overtake each other.
    for (const app of receivers) await stack.fault(app, { duplicate: true, reorder: true, slow_ms: 5 });
    await stack.database.sql.begin(async (sql) => {
      await sql`lock table notifications, reminder_schedule, task_events in exclusive mode`;
      await changeTasks(10);
      await eventually(async () => (await whoWaitsToInsert()).length === receivers.length, 20_000);
      // All have an event in hand. They will store it, and nobody hears that they did.
      for (const app of receivers) await stack.sidecars.killSidecar(app);
    });
    for (const app of receivers) await stack.sidecars.startSidecar(app);
    await stack.settled();
    for (const app of receivers) await stack.fault(app, { duplicate: false, reorder: false, slow_ms: 0 });
    const [counts] = await stack.database.sql`
      select (select count(*) from notifications where user_id = ${me.id})::int as inbox,
             (select max(seq) from notifications where user_id = ${me.id})::int as newest,
             (select count(*) from task_events where user_id = ${me.id})::int as audit,
             (select count(*) from reminder_schedule where user_id = ${me.id} and status = 'cancelled' and task_version = 3)::int as closed`;
    expect(counts).toEqual({ inbox: 30, newest: 30, audit: 30, closed: 10 });
    for (const [i, app] of receivers.entries())
      expect((await takenBy(app)) - (takenBefore[i] ?? 0)).toBeGreaterThan(30);
  }, 90_000);

  /** Creates tasks with reminders, changes each and completes it. */
  async function changeTasks(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const task = { title: `Task ${i}`, due_date: inSeconds(86_400), reminder_offset: '1 hour' };
      const { id } = await me.ask<{ id: string }>('POST', '/tasks', task);
      await me.ask('PATCH', `/tasks/${id}`, { priority: 'high' });
      await me.ask('PATCH', `/tasks/${id}`, { completed: true });
    }
  }

  const whoWaitsToInsert = () => stack.database.sql`
    select distinct usename from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query ilike '%insert into%'`;

  async function takenBy(app: (typeof receivers)[number]): Promise<number> {
    return deliveriesTaken(await (await fetch(`http://127.0.0.1:${stack.ports[app]}/metrics`)).text());
  }
});

describe('a poison event', () => {
  test('is dead-lettered once by each consumer, while the others flow', async () => {
    const [poisoned, person] = [await signUp(stack), await signUp(stack)];
    const id = await stack.publishRaw('chat-api', 'taskflow.tasks.created', {
      event_type: 'task.created',
      user_id: poisoned.id,
    });
    const task = await person.ask('POST', '/tasks', { title: 'Flows on' });
    await eventually(
      async () =>
        (await stack.database.sql`select 1 from notifications where payload ->> 'task_id' = ${String(task.id)}`)
          .length > 0,
    );
    const letters = await eventually(async () => {
      const rows = await stack.database.sql`select app_id from dead_letters where event_id = ${id} order by 1`;
      return rows.length >= 3 && rows.map((row) => row.app_id as string);
    });
    expect(letters).toEqual(['audit-logger', 'notification-service', 'reminder-service']);
  });
});
