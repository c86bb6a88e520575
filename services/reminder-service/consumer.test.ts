import { afterAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Task } from '#shared/task';
import { createDatabase } from '../../test/support/database.ts';
import { startEdge } from './fixtures/edge.ts';
import { createReplica, createTestClock } from './fixtures/replica.ts';
import { createStory } from './fixtures/story.ts';
import { type ChangeEvent, reminderId, reminderOf } from './consumer.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const clock = createTestClock();
const { at } = clock;
const NOW = at(0);

const [database, edge] = await Promise.all([createDatabase(), startEdge()]);
const replica = createReplica(database.url('reminder-service'), edge, clock);
afterAll(async () => {
  await replica.close();
  await edge.stop();
  await database.drop();
});

/** The row of a task without what is of the moment (arrival) or random. */
async function row(taskId: string) {
  const [found] = await database.sql`
    select task_version, trigger_at, status, title, due_date, offset_triggered from reminder_schedule where task_id = ${taskId}`;
  return found;
}
const iso = (ms: number) => at(ms).toISOString();
const dueTomorrow = { due_date: iso(DAY), reminder_offset: 'PT2H', reminder_status: 'pending' };
const judged = (event: ChangeEvent) => {
  const { status, trigger_at } = reminderOf(event, null);
  return { status, trigger_at: trigger_at?.toISOString() ?? null };
};
const created = (fields: Partial<Task>) => createStory(fields, NOW).created;

describe('what an event says about a reminder', () => {
  test('pending at the due date less the offset', () => {
    expect(judged(created(dueTomorrow))).toEqual({ status: 'pending', trigger_at: iso(DAY - 2 * HOUR) });
  });

  test('counted from nine in the morning of a mere date, in its zone', () => {
    const date = { due_date: '2026-12-01', due_all_day: true, timezone: 'Europe/Berlin', reminder_offset: 'P1D' };
    expect(judged(created({ ...date, reminder_status: 'pending' }))).toEqual({
      status: 'pending',
      trigger_at: '2026-11-30T08:00:00.000Z',
    });
  });

  test.each([
    ['no offset', { due_date: iso(DAY) }],
    ['no due date', {}],
    ['a series: its instances remind', { ...dueTomorrow, recurrence_pattern: 'daily:', reminder_status: null }],
  ])('none: %s', (_what, fields) => {
    expect(judged(created(fields))).toEqual({ status: 'cancelled', trigger_at: null });
  });

  test('pending at once when only the trigger time has passed', () => {
    expect(judged(created({ ...dueTomorrow, due_date: iso(HOUR) }))).toMatchObject({ status: 'pending' });
  });

  test('pending after the due date too, as long as the task says so', () => {
    const story = createStory(dueTomorrow, NOW);
    for (const change of [{ title: 'Water them twice' }, { timezone: 'Asia/Tokyo' }])
      expect(judged(story.updated(change, at(2 * DAY)))).toMatchObject({ status: 'pending' });
  });

  test('pending at the end of a snooze, also after the due date', () => {
    const snoozed = createStory(dueTomorrow, NOW).updated({ snoozed_until: iso(3 * DAY) }, at(2 * DAY));
    expect(reminderOf(snoozed, null)).toMatchObject({
      status: 'pending',
      trigger_at: at(3 * DAY),
      offset_triggered: null,
    });
  });

  test.each([
    ['cancelled', 'cancelled'],
    ['acknowledged', 'cancelled'],
    ['sent', 'triggered'],
    ['of a status that a later version adds', 'cancelled'],
  ] as const)('%s by the task itself is %s', (reminder_status, status) => {
    expect(judged(createStory(dueTomorrow, NOW).updated({ reminder_status }, NOW))).toMatchObject({ status });
  });

  test('cancelled by completion and deletion', () => {
    const story = createStory(dueTomorrow, NOW);
    expect(judged(story.completed(NOW))).toMatchObject({ status: 'cancelled' });
    expect(judged(story.updated({ completed: false, reminder_status: 'pending' }, NOW))).toMatchObject({
      status: 'pending',
    });
    expect(judged(story.deleted(NOW))).toMatchObject({ status: 'cancelled' });
  });

  test('is refused when the due date cannot be understood', () => {
    expect(() => reminderOf(created({ ...dueTomorrow, due_date: 'soon' }), null)).toThrow('due_date');
  });
});

describe('the row of a task', () => {
  test('is written with everything its event will need', async () => {
    const { created, taskId, userId } = createStory(dueTomorrow, NOW);
    await replica.handle(created, '00-aaaa-bbbb-01');
    const [found] = await database.sql`select * from reminder_schedule where task_id = ${taskId}`;
    expect(found).toEqual({
      reminder_id: reminderId(taskId),
      task_id: taskId,
      user_id: userId,
      slot: 0,
      task_version: 1,
      trigger_at: at(DAY - 2 * HOUR),
      reminder_type: 'due_date_reminder',
      status: 'pending',
      claimed_at: null,
      published_at: null,
      title: 'Water the plants',
      due_date: iso(DAY),
      offset_triggered: 'PT2H',
      recipients: [userId],
      correlation_id: created.correlation_id,
      traceparent: '00-aaaa-bbbb-01',
      created_at: NOW,
      updated_at: NOW,
    });
  });

  test('is not needed for a task that is created without a reminder: no older news of it can come', async () => {
    const [plain, past] = [createStory({}, NOW), createStory({ ...dueTomorrow, reminder_status: 'cancelled' }, NOW)];
    await replica.handleBatch([plain, past].map(({ created: event }) => ({ event, traceparent: null })));
    expect(
      await database.sql`select 1 from reminder_schedule where task_id in ${database.sql([plain.taskId, past.taskId])}`,
    ).toEqual([] as never);
  });

  test('is there for a change that leaves no reminder, so that older news is recognised', async () => {
    const story = createStory({}, NOW);
    const remembered = story.updated(dueTomorrow, NOW);
    await replica.handle(story.updated({ reminder_offset: null, reminder_status: null }, NOW), null);
    await replica.handle(remembered, null);
    expect(await row(story.taskId)).toMatchObject({ status: 'cancelled', trigger_at: null, task_version: 3 });
  });

  test('stays cancelled when the completion comes before the creation', async () => {
    const story = createStory(dueTomorrow, NOW);
    await replica.handle(story.completed(NOW), null);
    await replica.handle(story.created, null);
    expect(await row(story.taskId)).toMatchObject({ status: 'cancelled', task_version: 2 });
  });

  test('tells since when its time is set, also where that and a later change come in one batch', async () => {
    const story = createStory(dueTomorrow, NOW);
    const moved = story.updated({ due_date: iso(2 * DAY) }, at(HOUR));
    const renamed = story.updated({ title: 'Later' }, at(2 * HOUR));
    await replica.handleBatch([renamed, story.created, moved].map((event) => ({ event, traceparent: null })));
    const [found] = await database.sql`
      select created_at, title, task_version from reminder_schedule where task_id = ${story.taskId}`;
    expect(found).toEqual({ created_at: at(HOUR), title: 'Later', task_version: 3 });
  });

  test('does not change when an event comes twice', async () => {
    const story = createStory(dueTomorrow, NOW);
    await replica.handle(story.created, null);
    const [before] = await database.sql`select * from reminder_schedule where task_id = ${story.taskId}`;
    await Promise.all([1, 2, 3].map(() => replica.handle(story.created, 'other')));
    const [after] = await database.sql`select * from reminder_schedule where task_id = ${story.taskId}`;
    expect(after).toEqual(before);
  });

  test('is written by the newest of several first events that come at the same instant', async () => {
    for (let round = 0; round < 50; round++) {
      const story = createStory(dueTomorrow, NOW);
      const events = [story.created, story.updated({ title: 'Second' }, NOW), story.updated({ title: 'Third' }, NOW)];
      await Promise.all([...events, ...events].map((event) => replica.handle(event, null)));
      expect(await row(story.taskId)).toMatchObject({ task_version: 3, title: 'Third', status: 'pending' });
    }
  });

  test('ends the same in every order of the events, also with duplicates and all at once', async () => {
    const kinds = ['title', 'due', 'offset', 'none', 'snooze', 'complete', 'reopen', 'acknowledge', 'sent'] as const;
    const happening = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(happening, fc.boolean(), fc.infiniteStream(fc.nat()), async (kinds, isDeleted, numbers) => {
        const told = () => tell(kinds, isDeleted);
        const inOrder = told();
        for (const event of inOrder.events) await replica.handle(event, null);
        const expected = await row(inOrder.taskId);

        const mixed = told();
        const events = shuffled([...mixed.events, ...mixed.events], numbers);
        const half = events.length >> 1;
        for (const event of events.slice(0, half)) await replica.handle(event, null);
        await Promise.all(events.slice(half).map((event) => replica.handle(event, null)));
        expect(await row(mixed.taskId)).toEqual(expected);

        const together = told();
        const batch = shuffled([...together.events, ...together.events], numbers);
        await replica.handleBatch(batch.map((event) => ({ event, traceparent: null })));
        expect(await row(together.taskId)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});

/** A task's life as its owner leads it, from the same start each time. */
function tell(kinds: readonly string[], isDeleted: boolean): { taskId: string; events: ChangeEvent[] } {
  const story = createStory(dueTomorrow, NOW);
  const events: ChangeEvent[] = [story.created];
  kinds.forEach((kind, i) => {
    const then = at((i + 1) * 1000);
    const pending = { reminder_status: 'pending' };
    if (kind === 'title') events.push(story.updated({ title: `Title ${i}` }, then));
    if (kind === 'due') events.push(story.updated({ due_date: iso((i + 2) * DAY), ...pending }, then));
    if (kind === 'offset') events.push(story.updated({ reminder_offset: `PT${i + 1}H`, ...pending }, then));
    if (kind === 'none') events.push(story.updated({ reminder_offset: null, reminder_status: null }, then));
    if (kind === 'snooze') events.push(story.updated({ snoozed_until: iso((i + 1) * HOUR), ...pending }, then));
    if (kind === 'complete') events.push(story.completed(then));
    if (kind === 'reopen') events.push(story.updated({ completed: false, ...pending }, then));
    if (kind === 'acknowledge') events.push(story.updated({ reminder_status: 'acknowledged' }, then));
    if (kind === 'sent') events.push(story.updated({ title: `Sent ${i}`, reminder_status: 'sent' }, then));
  });
  if (isDeleted) events.push(story.deleted(at(HOUR)));
  return { taskId: story.taskId, events };
}

function shuffled<T>(items: T[], numbers: Iterator<number>): T[] {
  return items
    .map((item) => ({ item, key: Number(numbers.next().value) }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
