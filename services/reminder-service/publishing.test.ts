import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { eventually } from '../../test/support/wait.ts';
import { startHourAhead } from './fixtures/hour-ahead.ts';
import { claimDue } from './schedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const { clock, database, edge, replica, newStory, fireAfter, status, forget, close } = await startHourAhead();
afterEach(async () => {
  edge.on();
  edge.answer(204);
  await forget();
});
afterAll(close);

describe('publishing', () => {
  test('waits while the sidecar is off and happens when it is back, with the reason', async () => {
    const { created, taskId } = newStory();
    await replica.handle(created, null);
    await edge.off();
    await fireAfter(HOUR);
    await replica.publishLeftBehind();
    expect(await status(taskId)).toEqual({ status: 'triggered', published_at: null });
    expect(await replica.metric('taskflow_reminders_unpublished')).toBe(1);
    clock.pass(5 * MINUTE);
    await replica.publishLeftBehind();
    edge.on();
    await replica.publishLeftBehind();
    await replica.publishLeftBehind();
    expect(edge.of(taskId)).toMatchObject([{ late_by_ms: 5 * MINUTE, late_reason: 'publishing was down' }]);
    expect(await replica.metric('taskflow_reminders_unpublished')).toBe(0);
    const told = replica.logged.map(({ message }) => message);
    expect(told.filter((message) => message.startsWith('publishing'))).toEqual([
      'publishing is down, reminders wait',
      'publishing works again',
    ]);
  });

  test('that is refused for some of those that went together says so once', async () => {
    const stories = Array.from({ length: 6 }, () => newStory());
    for (const { created } of stories) await replica.handle(created, null);
    edge.answer((i) => (i % 2 === 0 ? 204 : 503));
    const before = replica.logged.length;
    await fireAfter(HOUR);
    const told = replica.logged.slice(before).map(({ message }) => message);
    expect(told.filter((message) => message !== 'reminder fired')).toEqual(['some reminders wait']);
  });

  test('is done by whoever finds what a crash left between claim and publication, under the same id', async () => {
    const { created, taskId } = newStory();
    await replica.handle(created, null);
    clock.pass(HOUR);
    await claimDue(replica.sql, clock.at(0), 10); // and here it crashed
    clock.pass(9_000);
    await replica.publishLeftBehind();
    expect(edge.of(taskId)).toEqual([]); // perhaps the claimer is still at it
    clock.pass(2_000);
    await replica.publishLeftBehind();
    expect(edge.of(taskId)).toMatchObject([{ event_id: Bun.randomUUIDv5(...idOf(created)) }]);
  });

  test('repeated by a second crash is the same event to its consumers', async () => {
    const { created, taskId } = newStory();
    await replica.handle(created, null);
    await fireAfter(HOUR);
    await database.sql`update reminder_schedule set published_at = null where task_id = ${taskId}`;
    clock.pass(11_000);
    await replica.publishLeftBehind();
    const [first, second] = edge.of(taskId);
    expect(second).toEqual(first);
  });

  test('is not repeated for a task completed meanwhile', async () => {
    const story = newStory();
    await replica.handle(story.created, null);
    edge.answer(500);
    await fireAfter(HOUR);
    await replica.handle(story.completed(clock.at(0)), null);
    edge.answer(204);
    clock.pass(MINUTE);
    await replica.publishLeftBehind();
    expect(edge.of(story.taskId)).toEqual([]);
  });

  test('that is refused for one reminder does not hold up the others', async () => {
    const stories = Array.from({ length: 120 }, () => newStory());
    for (const { created } of stories) await replica.handle(created, null);
    edge.answer(400);
    await fireAfter(HOUR);
    clock.pass(MINUTE);
    await replica.publishLeftBehind();
    expect(replica.logged.filter(({ message }) => message === 'reminder refused').length).toBe(240);
  });

  test('is not repeated while the first attempt is under way', async () => {
    const { created, taskId } = newStory();
    await replica.handle(created, null);
    const release = edge.hold();
    clock.pass(HOUR);
    const firing = replica.fire();
    await eventually(async () => (await status(taskId))?.status === 'triggered');
    clock.pass(11_000);
    await replica.publishLeftBehind();
    release();
    await firing;
    expect(edge.of(taskId)).toHaveLength(1);
  });
});

const idOf = (created: { task_id: string; task: { due_date: string | null } }): [string, string] => [
  new Date(Date.parse(created.task.due_date ?? '') - HOUR).toISOString(),
  Bun.randomUUIDv5('reminder/0', created.task_id),
];
