import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/wait.ts';
import { startEdge } from './fixtures/edge.ts';
import { createReplica, createTestClock } from './fixtures/replica.ts';
import { createStory } from './fixtures/story.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const [database, edge] = await Promise.all([createDatabase(), startEdge()]);
let open: ReturnType<typeof createReplica>[] = [];
afterEach(async () => {
  await Promise.all(open.map((replica) => replica.close()));
  open = [];
  edge.published.length = 0;
  await database.sql`truncate reminder_schedule`;
});
afterAll(async () => {
  await edge.stop();
  await database.drop();
});

function newReplica(clock: Parameters<typeof createReplica>[2]) {
  const replica = createReplica(database.url('reminder-service'), edge, clock);
  open.push(replica);
  return replica;
}
/** A task that reminds at `at` and is due an hour later. */
function remindAt(at: Date, setAt: Date) {
  const due_date = new Date(at.getTime() + HOUR).toISOString();
  return createStory({ due_date, reminder_offset: 'PT1H', reminder_status: 'pending' }, setAt);
}
const publishedTasks = () => edge.published.map(({ event }) => event.task_id);

/** `count` pending reminders, one a second, the last one due at `last`; their task ids in that order. */
async function insertPending(count: number, last: Date): Promise<string[]> {
  const rows = await database.sql<{ task_id: string }[]>`
    with made as (
      insert into reminder_schedule (reminder_id, task_id, user_id, task_version, trigger_at, status, title, due_date, recipients, correlation_id)
      select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, ${last}::timestamptz - (${count}::int - n) * interval '1 second',
        'pending', 'Task ' || n, '2030-01-01', array[gen_random_uuid()], gen_random_uuid()
      from generate_series(1, ${count}::int) n order by random()
      returning task_id, trigger_at
    ) select task_id from made order by trigger_at`;
  return rows.map(({ task_id }) => task_id);
}

describe('at the start', () => {
  test('what came due while the service was down fires at once, oldest first, and says why', async () => {
    const clock = createTestClock();
    const before = newReplica(clock);
    const stories = [30, 10, 20].map((minutes) => remindAt(clock.at(minutes * MINUTE), clock.at(0)));
    for (const { created } of stories) await before.handle(created, null);
    clock.pass(2 * HOUR);

    const after = newReplica(clock);
    await after.reconcile();
    await after.fire();
    const times = edge.published.map(({ event }) => event.trigger_at);
    expect(times).toHaveLength(3);
    expect(times).toEqual(times.toSorted());
    expect(edge.published.map(({ event }) => event.late_reason)).toEqual(
      Array(3).fill('the reminder service or its database was down, or the account was disabled'),
    );
  });

  test('what is ahead is held, for a day, and what was fired or cancelled is not', async () => {
    const clock = createTestClock();
    const before = newReplica(clock);
    const [tomorrow, fired, done, later] = [23 * HOUR, MINUTE, HOUR, 25 * HOUR].map((ms) =>
      remindAt(clock.at(ms), clock.at(0)),
    );
    for (const story of [tomorrow, fired, done, later]) if (story) await before.handle(story.created, null);
    if (done) await before.handle(done.completed(clock.at(0)), null);
    clock.pass(MINUTE);
    await before.fire();

    const after = newReplica(clock);
    await after.reconcile();
    expect(await after.metric('taskflow_reminders_pending')).toBe(1);
  });

  test('of more than 10,000 ahead the soonest are held', async () => {
    const clock = createTestClock();
    const tasks = await insertPending(10_001, clock.at(10_001 * SECOND));
    const replica = newReplica(clock);
    await replica.reconcile();
    expect(await replica.metric('taskflow_reminders_pending')).toBe(10_000);
    clock.pass(SECOND);
    await replica.fire();
    expect(publishedTasks()).toEqual(tasks.slice(0, 1));
  });

  test('10,000 that are due at once all fire, oldest first', async () => {
    const tasks = await insertPending(10_000, new Date(Date.now() - SECOND));
    const replica = newReplica({});
    await replica.reconcile();
    await replica.fire();
    const published = publishedTasks();
    expect(published).toHaveLength(10_000);
    expect(new Set(published).size).toBe(10_000);
    // A few are in flight at a time: none overtakes more than those.
    const place = new Map(tasks.map((task, i) => [task, i]));
    const overtaken = published.map((task, i) => Math.abs((place.get(task) ?? Infinity) - i));
    expect(Math.max(...overtaken)).toBeLessThan(100);
    expect(await replica.metric('taskflow_reminders_fired_total')).toBe(10_000);
  });
});

describe('several replicas on one table', () => {
  test('fire each reminder once', async () => {
    const clock = createTestClock();
    const replicas = [newReplica(clock), newReplica(clock), newReplica(clock)];
    const tasks = await insertPending(500, clock.at(MINUTE));
    await Promise.all(replicas.map((replica) => replica.reconcile()));
    clock.pass(HOUR);
    await Promise.all(replicas.map((replica) => replica.fire()));
    expect(publishedTasks().toSorted()).toEqual(tasks.toSorted());
  });

  test('fire on time what another one consumed', async () => {
    const clock = createTestClock();
    const [consumer, other] = [newReplica(clock), newReplica(clock)];
    await other.reconcile();
    const { created, taskId } = remindAt(clock.at(90 * SECOND), clock.at(0));
    await consumer.handle(created, null);
    await other.look();
    expect(await other.metric('taskflow_reminders_pending')).toBe(0);
    clock.pass(89 * SECOND);
    await other.look();
    expect(await other.metric('taskflow_reminders_pending')).toBe(1);
    await other.fire();
    expect(publishedTasks()).toEqual([]);
    clock.pass(SECOND);
    await other.fire();
    expect(publishedTasks()).toEqual([taskId]);
  });

  test('do not fire what another one heard was completed', async () => {
    const clock = createTestClock();
    const [one, other] = [newReplica(clock), newReplica(clock)];
    const story = remindAt(clock.at(MINUTE), clock.at(0));
    await one.handle(story.created, null);
    await other.handle(story.completed(clock.at(0)), null);
    clock.pass(HOUR);
    await one.fire();
    expect(publishedTasks()).toEqual([]);
    await one.reconcile();
    expect(await one.metric('taskflow_reminders_pending')).toBe(0);
  });
});

describe('a clock that jumps', () => {
  test('forward fires what has become due, also from beyond the day that is held', async () => {
    const clock = createTestClock();
    const replica = newReplica(clock);
    const [story, next] = [remindAt(clock.at(3 * DAY), clock.at(0)), remindAt(clock.at(3.5 * DAY), clock.at(0))];
    for (const { created } of [story, next]) await replica.handle(created, null);
    expect(await replica.metric('taskflow_reminders_pending')).toBe(0);
    clock.jump(3 * DAY);
    await replica.look();
    expect(await replica.metric('taskflow_reminders_pending')).toBe(2);
    await replica.fire();
    expect(publishedTasks()).toEqual([story.taskId]);
    expect(replica.logged).toContainEqual(expect.objectContaining({ message: 'the clock has jumped', ms: 3 * DAY }));
  });

  test('back fires nothing early and nothing twice', async () => {
    const clock = createTestClock();
    const replica = newReplica(clock);
    const [fired, ahead] = [remindAt(clock.at(HOUR), clock.at(0)), remindAt(clock.at(2 * HOUR), clock.at(0))];
    await replica.handle(fired.created, null);
    await replica.handle(ahead.created, null);
    clock.pass(HOUR);
    await replica.fire();
    clock.jump(-HOUR);
    for (const expected of [[fired.taskId], [fired.taskId], [fired.taskId, ahead.taskId]]) {
      await replica.look();
      await replica.fire();
      expect(publishedTasks()).toEqual(expected);
      clock.pass(HOUR);
    }
  });
});

test('closed reminders go after 14 days, pending and unpublished ones stay', async () => {
  const clock = createTestClock();
  const replica = newReplica(clock);
  const [published, unpublished, cancelled, pending] = [MINUTE, 2 * MINUTE, 3 * MINUTE, 60 * DAY].map((ms) =>
    remindAt(clock.at(ms), clock.at(0)),
  );
  if (!published || !unpublished || !cancelled || !pending) throw new Error('four stories');
  for (const { created } of [published, unpublished, cancelled, pending]) await replica.handle(created, null);
  await replica.handle(cancelled.completed(clock.at(0)), null);
  clock.pass(MINUTE);
  await replica.fire();
  edge.answer(500);
  clock.pass(MINUTE);
  await replica.fire();
  edge.answer(204);
  clock.pass(14 * DAY - 2 * MINUTE);
  await replica.purge();
  const left = async () => (await database.sql`select task_id from reminder_schedule`).map(({ task_id }) => task_id);
  expect(await left()).toHaveLength(4);
  clock.pass(HOUR);
  await replica.purge();
  expect((await left()).toSorted()).toEqual([unpublished.taskId, pending.taskId].toSorted());
});

describe('left to itself', () => {
  test('fires within a second of the time, in whichever replica, and stops when told', async () => {
    const [consumer, other] = [newReplica({}), newReplica({})];
    other.start();
    // Each is found by a look before its time, wherever between two looks it comes.
    for (const ms of [2500, 3300]) {
      const story = remindAt(new Date(Date.now() + ms), new Date());
      await consumer.handle(story.created, null);
      const [event] = await eventually(() => edge.of(story.taskId).length > 0 && edge.of(story.taskId));
      const lateMs = Date.parse(event?.timestamp ?? '') - Date.parse(event?.trigger_at ?? '');
      expect(lateMs).toBeWithin(0, 1000);
    }
    await other.stop();
  });

  test('starts without its database, tries on and says so once', async () => {
    const replica = createReplica('postgres://nobody@127.0.0.1:1/none', edge);
    open.push(replica);
    const looks = () => replica.logged.filter(({ loop }) => loop === 'look');
    replica.start();
    await eventually(() => looks().length > 0);
    await expect(replica.look()).rejects.toThrow();
    expect(looks()).toMatchObject([{ level: 'warn', message: 'loop degraded' }]);
  });
});
