import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Json, type Person, signUp } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';

let stack: RunningStack;
let me: Person;
beforeAll(async () => {
  stack = await startStack({ replicas: { 'reminder-service': 2 } });
  me = await signUp(stack);
});
afterAll(() => stack?.stop());

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const reminders = async () =>
  (await me.ask<Json[]>('GET', '/notifications')).filter(
    ({ type, event }) => (type ?? (event as Json).event_type) === 'task.reminder.triggered',
  );
const remindersOf = async (task: Json) =>
  (await reminders()).filter(({ event }) => (event as Json).task_id === task.id);
const scheduled = async (task: Json) =>
  eventually(
    async () =>
      (
        await stack.database.sql`select status, trigger_at from reminder_schedule where task_id = ${String(task.id)}`
      )[0],
  );

describe('a reminder', () => {
  test('that came due while every replica was dead fires once when they are back', async () => {
    const task = await me.ask('POST', '/tasks', {
      title: 'Restart',
      due_date: inSeconds(61),
      reminder_offset: '1 minute',
    });
    await scheduled(task);
    await Promise.all([stack.kill('reminder-service'), stack.kill('reminder-service#2')]);
    await eventually(
      async () =>
        (
          await stack.database
            .sql`select 1 from reminder_schedule where task_id = ${String(task.id)} and trigger_at < now()`
        ).length > 0,
    );
    await Promise.all([stack.start('reminder-service'), stack.start('reminder-service#2')]);
    await eventually(async () => (await remindersOf(task)).length > 0);
    await stack.settled();
    expect(await remindersOf(task)).toHaveLength(1);
  }, 30_000);

  test('that is overdue fires although its task was changed meanwhile, by its time zone alone too', async () => {
    await Promise.all([stack.kill('reminder-service'), stack.kill('reminder-service#2')]);
    const due_date = inSeconds(4);
    const task = await me.ask('POST', '/tasks', { title: 'Moved', due_date, reminder_offset: '0 minutes' });
    await eventually(() => Date.now() > Date.parse(due_date));
    const moved = await me.ask('PATCH', `/tasks/${task.id}`, { timezone: 'Asia/Tokyo' });
    expect(moved).toMatchObject({ version: 2, reminder_status: 'pending' });
    await Promise.all([stack.start('reminder-service'), stack.start('reminder-service#2')]);
    const isSent = async () => (await me.ask('GET', `/tasks/${task.id}`)).reminder_status === 'sent';
    await eventually(isSent, { ms: 15_000, what: 'the overdue reminder' });
    await stack.settled(10_000);
    expect(await remindersOf(task)).toHaveLength(1);
  }, 30_000);

  test('of a completed task does not fire', async () => {
    const task = await me.ask('POST', '/tasks', {
      title: 'Done',
      due_date: inSeconds(3600),
      reminder_offset: '30 minutes',
    });
    await me.ask('PATCH', `/tasks/${task.id}`, { completed: true });
    await stack.settled();
    expect(await scheduled(task)).toMatchObject({ status: 'cancelled' });
    expect(await remindersOf(task)).toEqual([]);
  });

  test('moves with the due date, and may be sent again for the new time', async () => {
    const task = await me.ask('POST', '/tasks', {
      title: 'Moved',
      due_date: inSeconds(3600),
      reminder_offset: '2 hours',
    }); // at once
    await eventually(async () => (await remindersOf(task)).length === 1);
    await me.ask('PATCH', `/tasks/${task.id}`, { due_date: inSeconds(3 * 3600) });
    await stack.settled();
    expect(await scheduled(task)).toMatchObject({ status: 'pending' });
    expect(await me.ask('GET', `/tasks/${task.id}`)).toMatchObject({ reminder_status: 'pending' });
    await me.ask('PATCH', `/tasks/${task.id}`, { due_date: inSeconds(3700) });
    await eventually(async () => (await remindersOf(task)).length === 2);
  });

  test('that is acknowledged is never sent again', async () => {
    const task = await me.ask('POST', '/tasks', {
      title: 'Seen',
      due_date: inSeconds(3600),
      reminder_offset: '2 hours',
    });
    await eventually(async () => (await me.ask('GET', `/tasks/${task.id}`)).reminder_status === 'sent');
    await me.ask('POST', `/tasks/${task.id}/acknowledge`);
    await stack.settled();
    expect(await me.ask('GET', `/tasks/${task.id}`)).toMatchObject({ reminder_status: 'acknowledged' });
    expect(await scheduled(task)).toMatchObject({ status: expect.stringMatching(/cancelled|triggered/) });
    expect(await remindersOf(task)).toHaveLength(1);
  });

  test('for a due date already past is not sent', async () => {
    const task = await me.ask('POST', '/tasks', {
      title: 'Too late',
      due_date: inSeconds(-60),
      reminder_offset: '1 hour',
    });
    expect(task.reminder_status).toBe('cancelled');
    await stack.settled();
    expect(await remindersOf(task)).toEqual([]);
  });

  test('waits for a dead sidecar and is sent when it is back', async () => {
    const task = await me.ask('POST', '/tasks', {
      title: 'Sidecar off',
      due_date: inSeconds(62),
      reminder_offset: '1 minute',
    });
    await scheduled(task);
    await stack.fault('reminder-service', { state: 'off' });
    await eventually(
      async () =>
        (
          await stack.database
            .sql`select 1 from reminder_schedule where task_id = ${String(task.id)} and status = 'triggered'`
        ).length > 0,
    );
    await stack.fault('reminder-service', { state: 'on' });
    await eventually(async () => (await remindersOf(task)).length === 1, { ms: 30_000 });
    await stack.settled();
    expect(await remindersOf(task)).toHaveLength(1);
  }, 60_000);
});
