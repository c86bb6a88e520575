import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { Value } from '@sinclair/typebox/value';
import { events } from '#shared/events';
import { startHourAhead } from './fixtures/hour-ahead.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const { clock, database, edge, replica, newStory, fireAfter, status, forget, close } = await startHourAhead();
afterEach(forget);
afterAll(close);

describe('a reminder', () => {
  test('fires at its time, not a millisecond earlier, and once', async () => {
    const { created, taskId } = newStory();
    await replica.handle(created, null);
    await fireAfter(HOUR - 1);
    expect(edge.of(taskId)).toEqual([]);
    await fireAfter(1);
    expect(await replica.metric('taskflow_reminders_pending')).toBe(0);
    await fireAfter(HOUR);
    expect(edge.of(taskId)).toHaveLength(1);
    expect(await status(taskId)).toMatchObject({ status: 'triggered', published_at: expect.any(Date) });
  });

  test('is published as the catalogue says, with the trace of its task', async () => {
    const { created, taskId, userId } = newStory({ title: 'Call Ada' });
    const triggerAt = clock.at(HOUR).toISOString();
    await replica.handle(created, TRACE);
    await fireAfter(HOUR + 250);
    const { event, topic, metadata } = edge.published.find(({ event }) => event.task_id === taskId) ?? {};
    expect(event).toEqual({
      event_type: 'task.reminder.triggered',
      event_id: Bun.randomUUIDv5(triggerAt, Bun.randomUUIDv5('reminder/0', taskId)),
      timestamp: clock.at(0).toISOString(),
      actor: { type: 'service', id: 'reminder-service' },
      task_id: taskId,
      user_id: userId,
      recipients: [userId],
      task_version: 1,
      correlation_id: created.correlation_id,
      reminder_type: 'due_date_reminder',
      trigger_at: triggerAt,
      due_date: created.task.due_date ?? '',
      offset_triggered: 'PT1H',
      title: 'Call Ada',
    });
    expect(Value.Check(events['task.reminder.triggered'].schema, event)).toBe(true);
    expect(topic).toBe('taskflow.tasks.reminder-triggered');
    expect(metadata).toMatchObject({
      partitionKey: taskId,
      'cloudevent.id': event?.event_id,
      'cloudevent.traceparent': TRACE,
    });
  });

  test.each([
    ['created', () => [newStory({ reminder_offset: 'P1D' }).created]],
    [
      'changed',
      () => {
        const story = newStory({ due_date: clock.at(25 * HOUR).toISOString() });
        clock.pass(23 * HOUR);
        return [story.created, story.updated({ reminder_offset: 'P1D' }, clock.at(0))];
      },
    ],
  ])('fires at once when its time had passed as the task was %s, and says so', async (_how, tell) => {
    const told = tell();
    for (const event of told) await replica.handle(event, null);
    await replica.fire();
    const events = edge.of(told[0]?.task_id ?? '');
    expect(events).toMatchObject([{ late_reason: 'its time had passed when the task was saved' }]);
    expect(events[0]?.late_by_ms).toBeGreaterThanOrEqual(22 * HOUR);
  });

  test('does not fire when the due date had passed as the task was saved', async () => {
    const { created, taskId } = newStory({ due_date: clock.at(-MINUTE).toISOString(), reminder_status: 'cancelled' });
    await replica.handle(created, null);
    await replica.fire();
    expect(edge.of(taskId)).toEqual([]);
  });

  test('fires late and says so when it is the event that took its time, even past the due date', async () => {
    const { created, taskId } = newStory();
    clock.pass(DAY);
    await replica.handle(created, null);
    await replica.fire();
    expect(edge.of(taskId)).toMatchObject([
      { late_by_ms: 23 * HOUR, late_reason: 'the event of the task arrived late' },
    ]);
  });

  test('that we are late with is not excused by a later change of something else', async () => {
    const story = newStory();
    await replica.handle(story.created, null);
    clock.pass(5 * HOUR);
    await replica.handle(story.updated({ title: 'Water them twice' }, clock.at(-1)), null);
    clock.pass(10 * HOUR);
    await replica.fire();
    expect(edge.of(story.taskId)).toMatchObject([
      {
        title: 'Water them twice',
        late_reason: 'the reminder service or its database was down, or the account was disabled',
      },
    ]);
  });

  test('fires when the database is back, if it was away at the time', async () => {
    const { created, taskId } = newStory();
    await replica.handle(created, null);
    await database.sql`alter table reminder_schedule rename to away`;
    await expect(fireAfter(HOUR)).rejects.toThrow();
    await database.sql`alter table away rename to reminder_schedule`;
    await replica.fire();
    expect(edge.of(taskId)).toHaveLength(1);
  });

  test.each([
    ['completed', (story: ReturnType<typeof newStory>) => story.completed(clock.at(0))],
    ['deleted', (story: ReturnType<typeof newStory>) => story.deleted(clock.at(0))],
    [
      'acknowledged',
      (story: ReturnType<typeof newStory>) => story.updated({ reminder_status: 'acknowledged' }, clock.at(0)),
    ],
  ])('does not fire when the task is %s before', async (_how, end) => {
    const story = newStory();
    await replica.handle(story.created, null);
    expect(await replica.metric('taskflow_reminders_pending')).toBe(1);
    await replica.handle(end(story), null);
    expect(await replica.metric('taskflow_reminders_pending')).toBe(0);
    await fireAfter(HOUR);
    expect(edge.of(story.taskId)).toEqual([]);
  });

  test('follows a changed due date, and fires again for a new time', async () => {
    const story = newStory();
    await replica.handle(story.created, null);
    await replica.handle(story.updated({ due_date: clock.at(3 * HOUR).toISOString() }, clock.at(0)), null);
    await fireAfter(HOUR);
    expect(edge.of(story.taskId)).toEqual([]);
    await fireAfter(HOUR);
    const later = { due_date: clock.at(3 * HOUR).toISOString(), reminder_status: 'pending' };
    await replica.handle(story.updated(later, clock.at(0)), null);
    await fireAfter(2 * HOUR);
    const ids = edge.of(story.taskId).map((event) => event.event_id);
    expect(new Set(ids).size).toBe(2);
    expect(ids).toHaveLength(2);
  });

  test('fires again after a snooze', async () => {
    const story = newStory();
    await replica.handle(story.created, null);
    await fireAfter(HOUR);
    const snooze = { snoozed_until: clock.at(10 * MINUTE).toISOString(), reminder_status: 'pending' };
    await replica.handle(story.updated(snooze, clock.at(0)), null);
    await fireAfter(10 * MINUTE);
    expect(edge.of(story.taskId).map((event) => event.offset_triggered)).toEqual(['PT1H', null]);
  });

  test('fires again for a time that was left and taken again, also when one batch tells both', async () => {
    const story = newStory();
    await replica.handle(story.created, null);
    await fireAfter(HOUR);
    const due = clock.at(HOUR).toISOString();
    const moves = [clock.at(3 * HOUR).toISOString(), due].map((due_date) =>
      story.updated({ due_date, reminder_status: 'pending' }, clock.at(0)),
    );
    await replica.handleBatch(moves.map((event) => ({ event, traceparent: null })));
    await fireAfter(0);
    expect(edge.of(story.taskId)).toHaveLength(2);
  });

  test('waits while its user is disabled, and fires late and says so when he is enabled again', async () => {
    const { created, taskId, userId } = newStory();
    await database.sql`insert into users (id, email, password_hash, disabled_at) values (${userId}, ${`${userId}@example.com`}, '', now())`;
    await replica.handle(created, null);
    await fireAfter(2 * HOUR);
    await replica.look();
    await fireAfter(HOUR);
    expect(edge.of(taskId)).toEqual([]);
    await database.sql`update users set disabled_at = null where id = ${userId}`;
    await replica.look();
    await fireAfter(0);
    expect(edge.of(taskId)).toMatchObject([{ late_by_ms: 2 * HOUR, late_reason: expect.stringContaining('disabled') }]);
  });

  test('does not fire again for the same time, whatever else changes', async () => {
    const story = newStory();
    await replica.handle(story.created, null);
    await fireAfter(HOUR);
    await replica.handle(story.updated({ title: 'Other' }, clock.at(0)), null);
    await replica.handle(story.completed(clock.at(0)), null);
    await replica.handle(story.updated({ completed: false, reminder_status: 'pending' }, clock.at(0)), null);
    await replica.look();
    await fireAfter(MINUTE);
    expect(edge.of(story.taskId)).toHaveLength(1);
    expect(await status(story.taskId)).toMatchObject({ status: 'triggered' });
  });

  test('beyond the limit of a timer fires when its day has come', async () => {
    const story = newStory({ due_date: clock.at(40 * DAY).toISOString() });
    await replica.handle(story.created, null);
    for (let day = 0; day < 39; day++) {
      await fireAfter(DAY);
      await replica.reconcile();
    }
    expect(edge.of(story.taskId)).toEqual([]);
    await fireAfter(DAY - HOUR);
    expect(edge.of(story.taskId)).toHaveLength(1);
  });
});

test('the delay that is measured is ours', async () => {
  const { created } = newStory({ reminder_offset: 'P1D' });
  const before = await replica.metric('taskflow_reminder_lateness_seconds_sum');
  await replica.handle(created, null);
  await fireAfter(250);
  expect((await replica.metric('taskflow_reminder_lateness_seconds_sum')) - before).toBeCloseTo(0.25);
});
