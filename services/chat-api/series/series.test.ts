import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { type Answer, type Json, type Person, startApi } from '../tasks/fixture.ts';

const database = await createDatabase();
const api = startApi(database);
afterAll(async () => {
  await api.stop();
  await database.drop();
});
beforeEach(() => {
  api.clock.now = new Date('2026-11-24T10:00:00.000Z'); // a Tuesday
});

const weekly = {
  title: 'Report',
  due_date: '2026-11-25T09:00:00+01:00',
  timezone: 'Europe/Berlin',
  recurrence_pattern: 'weekly:WED,FRI',
  reminder_offset: '1 hour',
};
const createSeries = async (person: Person, input: Json = weekly) =>
  (await person.call('POST', '/tasks', input)).body as { id: string };
const instances = async (person: Person, series: { id: string }) =>
  (await person.call('GET', `/tasks?parent=${series.id}&sort=due_date`)).list;
const dayAndState = ({ occurrence_date, completed }: Json) => [occurrence_date, completed];
const cursorOf = async ({ id }: { id: string }) => {
  const [row] =
    await database.sql`select cursor_date::text as date, next_instance_at as at from tasks where id = ${id}`;
  return row;
};
const ask = (...items: Json[]) => api.asProcessor('POST', '/tasks/batch', { tasks: items });
const results = ({ body }: Answer) => body.results as { status: number; code?: string }[];

describe('creating a series', () => {
  test('creates its first instance with it, both with their events', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const [first, ...more] = await instances(ada, series);
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      title: 'Report',
      due_date: '2026-11-25T08:00:00.000Z',
      occurrence_date: '2026-11-25',
      parent_recurring_task_id: series.id,
      reminder_offset: 'PT1H',
      reminder_status: 'pending',
      version: 1,
    });
    expect(series).not.toHaveProperty('reminder_status');
    expect(await api.events(series.id)).toMatchObject([{ event_type: 'task.created' }]);
    expect(await api.events(first?.id)).toMatchObject([{ event_type: 'task.created', task_version: 1 }]);
    expect(await cursorOf(series)).toEqual({ date: '2026-11-25', at: new Date('2026-11-26T08:00:00Z') });
  });

  test('is what a plain task becomes when it gets a pattern', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', { title: 'x', due_date: '2026-12-01' });
    const { status } = await ada.call('PATCH', `/tasks/${body.id}`, { recurrence_pattern: 'daily:' });
    expect(status).toBe(200);
    expect(await instances(ada, body as { id: string })).toMatchObject([{ occurrence_date: '2026-12-01' }]);
  });

  test('cannot be completed', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const { status, body } = await ada.call('PUT', `/tasks/${series.id}`, { completed: true });
    expect([status, body.code]).toEqual([409, 'SERIES_NOT_COMPLETABLE']);
  });
});

describe('the next date of a series', () => {
  const complete = (person: Person, task: Json | undefined) =>
    person.call('PATCH', `/tasks/${task?.id}`, { completed: true });

  test('is there at once when its only open one is completed, with its event', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const [first] = await instances(ada, series);
    await complete(ada, first);
    const [done, next, ...more] = await instances(ada, series);
    expect([done?.completed, next?.completed, more]).toEqual([true, false, []]);
    expect(next).toMatchObject({ occurrence_date: '2026-11-27', reminder_status: 'pending' });
    expect(await api.events(next?.id)).toMatchObject([{ event_type: 'task.created', task_version: 1 }]);
    expect(await cursorOf(series)).toEqual({ date: '2026-11-27', at: new Date('2026-12-01T08:00:00Z') });
  });

  test('is there at once when its only open one is deleted', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const [first] = await instances(ada, series);
    await ada.call('DELETE', `/tasks/${first?.id}`);
    expect(await instances(ada, series)).toMatchObject([{ occurrence_date: '2026-11-27', completed: false }]);
  });

  test('is made once when it is completed twice, opened again or by many at once', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const [first] = await instances(ada, series);
    await Promise.all(Array.from({ length: 5 }, () => complete(ada, first)));
    await ada.call('PATCH', `/tasks/${first?.id}`, { completed: false });
    await complete(ada, first);
    expect((await instances(ada, series)).map((task) => task.occurrence_date)).toEqual(['2026-11-25', '2026-11-27']);
  });

  test('is left to the processor while another one is open, or when it has been missed', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    await ask({ parent_recurring_task_id: series.id, occurrence_date: '2026-11-27' });
    const [first, second] = await instances(ada, series);
    await complete(ada, first);
    expect(await instances(ada, series)).toHaveLength(2);
    api.clock.now = new Date('2026-12-03T10:00:00.000Z');
    await complete(ada, second);
    expect(await instances(ada, series)).toHaveLength(2);
  });

  test('passes over one that was done early', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    await ask({ parent_recurring_task_id: series.id, occurrence_date: '2026-11-27' });
    await ada.call('PATCH', `/tasks/${series.id}`, { due_date: '2026-11-25T10:00:00+01:00' });
    const [first, second] = await instances(ada, series);
    await complete(ada, second);
    await complete(ada, first);
    expect((await instances(ada, series)).map(dayAndState)).toEqual([
      ['2026-11-25', true],
      ['2026-11-27', true],
      ['2026-12-02', false],
    ]);
  });

  test('is there at once when the only open one was put off for years before it is completed', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const [first] = await instances(ada, series);
    await ada.call('PATCH', `/tasks/${first?.id}`, { due_date: '2029-01-01T10:00:00Z' });
    await complete(ada, first);
    expect((await instances(ada, series)).map(dayAndState)).toEqual([
      ['2026-11-27', false],
      ['2026-11-25', true],
    ]);
  });

  test('comes no further than the one after a year, whatever is moved near, done and opened again', async () => {
    const ada = await api.person();
    const series = await createSeries(ada, { ...weekly, recurrence_pattern: 'custom:100d' });
    const first = (await instances(ada, series))[0];
    for (let i = 0; i < 7; i++) {
      const open = (await instances(ada, series)).find(({ completed }) => completed === false);
      await ada.call('PATCH', `/tasks/${open?.id}`, { due_date: '2026-11-26T10:00:00Z' });
      await complete(ada, open);
    }
    await ada.call('PATCH', `/tasks/${first?.id}`, { completed: false });
    await complete(ada, first);
    await ada.call('PATCH', `/tasks/${series.id}`, { due_date: '2026-11-25T10:00:00+01:00' });
    const dates = (await instances(ada, series)).map(({ occurrence_date }) => String(occurrence_date));
    expect(dates.toSorted()).toEqual(['2026-11-25', '2027-03-05', '2027-06-13', '2027-09-21', '2027-12-30']);
  });

  test('is left to the processor after one that lies more than a year ahead', async () => {
    const ada = await api.person();
    const series = await createSeries(ada, { ...weekly, due_date: '2027-11-26T08:00:00Z' });
    const [first] = await instances(ada, series);
    await complete(ada, first);
    expect(await instances(ada, series)).toHaveLength(1);
  });

  test('is none when a date that was done is put right', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const [first] = await instances(ada, series);
    await complete(ada, first);
    await complete(ada, (await instances(ada, series))[1]);
    await database.sql`delete from tasks where parent_recurring_task_id = ${series.id} and not completed`;
    await ada.call('PATCH', `/tasks/${first?.id}`, { title: 'Other', completed: true });
    expect(await instances(ada, series)).toHaveLength(2);
  });

  test('is none when the series has ended', async () => {
    const ada = await api.person();
    const series = await createSeries(ada, { ...weekly, recurrence_end_date: '2026-11-26' });
    const [first] = await instances(ada, series);
    expect((await complete(ada, first)).status).toBe(200);
    expect(await instances(ada, series)).toHaveLength(1);
  });
});

describe("the processor's batch", () => {
  test('creates the instance of a date once, however often it is asked', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const item = { parent_recurring_task_id: series.id, occurrence_date: '2026-11-27' };
    expect(results(await ask(item, item)).map(({ status }) => status)).toEqual([201, 200]);
    expect(results(await ask(item)).map(({ status }) => status)).toEqual([200]);
    const [, second] = await instances(ada, series);
    expect(second).toMatchObject({ occurrence_date: '2026-11-27', due_date: '2026-11-27T08:00:00.000Z' });
    expect(await api.events(second?.id)).toMatchObject([
      { event_type: 'task.created', actor: { type: 'service', id: 'recurring-task-processor' } },
    ]);
    expect(await cursorOf(series)).toMatchObject({ date: '2026-11-27' });
  });

  test('from two processors at once makes each instance once', async () => {
    const ada = await api.person();
    const series = await Promise.all(Array.from({ length: 20 }, () => createSeries(ada)));
    const items = series.map(({ id }) => ({ parent_recurring_task_id: id, occurrence_date: '2026-11-27' }));
    const answers = await Promise.all([ask(...items), ask(...items.toReversed()), ask(...items)]);
    const statuses = answers.flatMap(results).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(20);
    expect(statuses.filter((status) => status === 200)).toHaveLength(40);
    const [row] = await database.sql`
      select count(*)::int as n from outbox join tasks on tasks.id = task_id where user_id = ${ada.id}`;
    expect(row).toEqual({ n: 60 });
  });

  test('moves only the cursor, and never back', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    await ask({ parent_recurring_task_id: series.id, advance_past: '2026-12-04', skipped: 3 });
    await ask({ parent_recurring_task_id: series.id, advance_past: '2026-11-27', skipped: 0 });
    expect(await cursorOf(series)).toMatchObject({ date: '2026-12-04' });
    expect(await instances(ada, series)).toHaveLength(1);
    const { headers } = await ada.call('GET', `/tasks/${series.id}`);
    expect(headers.get('etag')).toBe('"1"');
  });

  test('leaves the cursor at the newest date of many askers at once', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const days = Array.from({ length: 24 }, (_, i) => `2026-12-${String(7 + ((i * 7 + 5) % 24)).padStart(2, '0')}`);
    await Promise.all(days.map(() => api.sql`select pg_sleep(0.01)`)); // all connections are open
    await Promise.all(days.map((day) => ask({ parent_recurring_task_id: series.id, advance_past: day, skipped: 0 })));
    expect(await cursorOf(series)).toMatchObject({ date: '2026-12-30' });
  });

  test('never brings a deleted instance back', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const [first] = await instances(ada, series);
    await ada.call('DELETE', `/tasks/${first?.id}`);
    const answer = await ask({ parent_recurring_task_id: series.id, occurrence_date: '2026-11-25' });
    expect(results(answer).map(({ status }) => status)).toEqual([200]);
    expect(await instances(ada, series)).toMatchObject([{ occurrence_date: '2026-11-27' }]);
  });

  test('refuses item by item what is gone, wrong or of a disabled account', async () => {
    const [ada, bob] = [await api.person(), await api.person()];
    const [good, disabled] = [await createSeries(ada), await createSeries(bob)];
    await database.sql`update users set disabled_at = now() where id = ${bob.id}`;
    const answer = await ask(
      { parent_recurring_task_id: crypto.randomUUID(), occurrence_date: '2026-11-27' },
      { parent_recurring_task_id: disabled.id, occurrence_date: '2026-11-27' },
      { parent_recurring_task_id: good.id, occurrence_date: '2026-11-26' },
      { parent_recurring_task_id: good.id, occurrence_date: '2026-02-30' },
      { parent_recurring_task_id: good.id, occurrence_date: '2026-11-27' },
    );
    expect(results(answer).map(({ status, code }) => code ?? status)).toEqual([
      'SERIES_NOT_FOUND',
      'SERIES_NOT_FOUND',
      'NOT_AN_OCCURRENCE',
      'INVALID_ITEM',
      201,
    ]);
  });

  test('is all that a service may do', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', { title: 'x' });
    const answers = await Promise.all([
      api.asProcessor('GET', '/tasks'),
      api.asProcessor('GET', `/tasks/${body.id}`),
      api.asProcessor('POST', '/tasks', { title: 'y' }),
      api.asProcessor('PUT', `/tasks/${body.id}`, { title: 'y' }),
      api.asProcessor('DELETE', `/tasks/${body.id}`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
  });
});

describe('deleting a series', () => {
  test('deletes its instances, each with its own event', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    await ask({ parent_recurring_task_id: series.id, occurrence_date: '2026-11-27' });
    const ids = (await instances(ada, series)).map(({ id }) => id);
    expect((await ada.call('DELETE', `/tasks/${series.id}`)).status).toBe(204);
    for (const id of [...ids, series.id])
      expect((await api.events(id)).at(-1)).toMatchObject({ event_type: 'task.deleted' });
    expect((await ada.call('GET', '/tasks')).list).toEqual([]);
  });

  test('takes any number of them, in portions of 500', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    await api.sql`
      insert into tasks (id, user_id, title, completed, due_date, parent_recurring_task_id, occurrence_date, version)
      select gen_random_uuid(), ${ada.id}, 'T', true, day, ${series.id}, day, 1
      from generate_series(1, 1499) as n, lateral (select '2027-01-01'::date + n as day)`;
    expect((await ada.call('DELETE', `/tasks/${series.id}`)).status).toBe(204);
    const [row] = await database.sql`
      select (select count(*)::int from tasks where user_id = ${ada.id}) as left,
        count(*)::int as told from outbox where event_type = 'task.deleted' and event ->> 'user_id' = ${ada.id}`;
    expect(row).toEqual({ left: 0, told: 1501 });
  });

  test('wins against instances being inserted, and none is left', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const ids = ['2026-11-27', '2026-12-02', '2026-12-04'];
    await Promise.all([
      ...ids.map((occurrence_date) => ask({ parent_recurring_task_id: series.id, occurrence_date })),
      ada.call('DELETE', `/tasks/${series.id}`),
      ask({ parent_recurring_task_id: series.id, occurrence_date: '2026-12-09' }),
    ]);
    const [row] = await database.sql`
      select count(*) filter (where event_type = 'task.created')::int as created,
        count(*) filter (where event_type = 'task.deleted')::int as deleted,
        (select count(*)::int from tasks where user_id = ${ada.id}) as tasks
      from outbox where event ->> 'user_id' = ${ada.id}`;
    expect(row).toEqual({ created: row?.created, deleted: row?.created, tasks: 0 });
  });
});

describe('editing a series', () => {
  test('changes the open, unedited instances from now on, each with its event', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    for (const date of ['2026-11-27', '2026-12-02', '2026-12-04'])
      await ask({ parent_recurring_task_id: series.id, occurrence_date: date });
    const [first, second, third] = await instances(ada, series);
    await ada.call('PUT', `/tasks/${first?.id}`, { completed: true });
    await ada.call('PATCH', `/tasks/${second?.id}`, { title: 'My own' });

    const { status, body } = await ada.call('PATCH', `/tasks/${third?.id}?scope=series`, { title: 'Weekly report' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: series.id, title: 'Weekly report' });
    expect(body.changed).toHaveLength(3);
    const titles = (await instances(ada, series)).map(({ title }) => title);
    expect(titles).toEqual(['Report', 'My own', 'Weekly report', 'Weekly report']);
    expect((await api.events(third?.id)).at(-1)).toMatchObject({
      event_type: 'task.updated',
      changes: { title: { old: 'Report', new: 'Weekly report' } },
    });
  });

  test('deletes dates that the new rule lacks and creates its next one', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    await ask({ parent_recurring_task_id: series.id, occurrence_date: '2026-11-27' });
    const { body } = await ada.call('PATCH', `/tasks/${series.id}`, { recurrence_pattern: 'weekly:THU,FRI' });
    expect((body.changed as Json[]).map(({ event_type }) => event_type)).toEqual([
      'task.updated',
      'task.deleted',
      'task.created',
    ]);
    const dates = (await instances(ada, series)).map(({ occurrence_date }) => occurrence_date);
    expect(dates).toEqual(['2026-11-26', '2026-11-27']);
    expect(await cursorOf(series)).toMatchObject({ date: '2026-11-26' });
  });

  test('numbers on when a date that a rule had lost comes back', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const [first] = await instances(ada, series);
    await ada.call('PATCH', `/tasks/${series.id}`, { recurrence_pattern: 'weekly:THU' });
    await ada.call('PATCH', `/tasks/${series.id}`, { recurrence_pattern: 'weekly:WED' });
    expect((await api.events(first?.id)).map(({ event_type, task_version }) => [event_type, task_version])).toEqual([
      ['task.created', 1],
      ['task.deleted', 2],
      ['task.created', 3],
    ]);
  });

  /** A series due today, which was done before its time: the next one is there. */
  async function doneToday(person: Person): Promise<{ id: string }> {
    const series = await createSeries(person, {
      ...weekly,
      due_date: '2026-11-24T18:00:00+01:00',
      recurrence_pattern: 'weekly:TUE',
    });
    const [today] = await instances(person, series);
    await person.call('PATCH', `/tasks/${today?.id}`, { completed: true });
    return series;
  }

  test('goes on from the next open one where a date was done early', async () => {
    const ada = await api.person();
    const series = await doneToday(ada);
    await ada.call('PATCH', `/tasks/${series.id}`, { due_date: '2026-11-24T19:00:00+01:00' });
    const [, next, ...more] = await instances(ada, series);
    expect([next?.occurrence_date, more]).toEqual(['2026-12-01', []]);
    await ada.call('PATCH', `/tasks/${next?.id}`, { completed: true });
    expect((await instances(ada, series)).map(dayAndState)).toEqual([
      ['2026-11-24', true],
      ['2026-12-01', true],
      ['2026-12-08', false],
    ]);
  });

  test('creates the first date of its new rule that was not done early', async () => {
    const ada = await api.person();
    const series = await doneToday(ada);
    await ada.call('PATCH', `/tasks/${series.id}`, { recurrence_pattern: 'custom:3d' });
    expect((await instances(ada, series)).map(dayAndState)).toEqual([
      ['2026-11-24', true],
      ['2026-11-27', false],
    ]);
  });

  test('gives the event loop back between a few of its instances', async () => {
    const ada = await api.person();
    const series = await createSeries(ada, { ...weekly, recurrence_pattern: 'daily:' });
    const days = Array.from({ length: 40 }, (_, i) => new Date(Date.UTC(2026, 11, 1 + i)).toISOString().slice(0, 10));
    await ask(...days.map((occurrence_date) => ({ parent_recurring_task_id: series.id, occurrence_date })));
    const turns = new Map<number, number>();
    let turn = 0;
    let turning = setImmediate(function go() {
      turn += 1;
      turning = setImmediate(go);
    });
    /** Each event of the edit asks what time it is. */
    api.clock.now = new (class extends Date {
      override toISOString(): string {
        turns.set(turn, (turns.get(turn) ?? 0) + 1);
        return super.toISOString();
      }
    })(api.clock.now);
    const { body } = await ada.call('PATCH', `/tasks/${series.id}`, { title: 'New' });
    clearImmediate(turning);
    expect(body.changed).toHaveLength(42);
    expect(Math.max(...turns.values())).toBeLessThan(20);
  });

  test('never re-creates a date that was deleted', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const [first] = await instances(ada, series);
    await ada.call('DELETE', `/tasks/${first?.id}`);
    await ada.call('PATCH', `/tasks/${series.id}`, { recurrence_pattern: 'daily:' });
    const dates = (await instances(ada, series)).map(({ occurrence_date }) => occurrence_date);
    expect(dates).toEqual(['2026-11-26', '2026-11-27']);
  });

  test('refuses scopes that mean nothing', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const plain = await ada.call('POST', '/tasks', { title: 'x' });
    const answers = await Promise.all([
      ada.call('PATCH', `/tasks/${series.id}?scope=this`, { title: 'y' }),
      ada.call('PATCH', `/tasks/${plain.body.id}?scope=series`, { title: 'y' }),
      ada.call('PATCH', `/tasks/${plain.body.id}?scope=future`, { title: 'y' }),
    ]);
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(Array(3).fill([400, 'TASK_UPDATE_ERROR']));
  });
});

describe('GET /tasks/:id/occurrences and POST /recurrence/preview', () => {
  test('tell the next dates, in words too', async () => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const saved = await ada.call('GET', `/tasks/${series.id}/occurrences?limit=2`);
    expect(saved.body).toEqual({
      description: 'every week on Wednesday and Friday',
      timezone: 'Europe/Berlin',
      occurrences: [
        { occurrence_date: '2026-11-25', due_date: '2026-11-25T08:00:00.000Z', note: null },
        { occurrence_date: '2026-11-27', due_date: '2026-11-27T08:00:00.000Z', note: null },
      ],
    });
    const { recurrence_pattern, due_date, timezone } = weekly;
    const preview = await ada.call('POST', '/recurrence/preview', { recurrence_pattern, due_date, timezone, limit: 2 });
    expect(preview.body).toEqual(saved.body);
  });

  test.each([
    ['0', 0],
    ['101', 101],
    ['0x10', '0x10'],
    ['1e1', true],
    ['5.0', 1.5],
    ['%2B5', ' 5 '],
    ['', [5]],
  ])('refuse a limit of %p, and in a body of %p', async (text, value) => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const answers = [
      await ada.call('GET', `/tasks/${series.id}/occurrences?limit=${text}`),
      await ada.call('POST', '/recurrence/preview', { ...weekly, limit: value }),
    ];
    for (const { status, body } of answers) expect([status, body.message]).toEqual([400, 'limit: expected 1 to 100']);
  });

  test.each([
    'from=2027-02-31',
    'to=2027-02-29',
    'from=2027-13-01',
    'to=2027-01-01T00:00:00Z',
    'from=tomorrow',
    'from=',
  ])('refuse %s, which is no day, naming it', async (span) => {
    const ada = await api.person();
    const series = await createSeries(ada);
    const saved = await ada.call('GET', `/tasks/${series.id}/occurrences?${span}`);
    const [field = '', value] = span.split('=');
    const preview = await ada.call('POST', '/recurrence/preview', { ...weekly, [field]: value });
    for (const { status, body } of [saved, preview]) {
      expect(status).toBe(400);
      expect(body.message).toStartWith(`${field}: `);
    }
  });

  test.each(['Etc/GMT+12', 'America/Nuuk', 'Europe/Berlin', 'Pacific/Kiritimati'])(
    'give the dates of an all-day series as dates in %s, as its instances have them',
    async (timezone) => {
      const ada = await api.person();
      const input = { title: 'x', due_date: '2027-03-27', timezone, recurrence_pattern: 'daily:' };
      const { title: _, ...pattern } = input;
      const preview = await ada.call('POST', '/recurrence/preview', { ...pattern, limit: 3 });
      const dates = ['2027-03-27', '2027-03-28', '2027-03-29'].map((date) => ({
        occurrence_date: date,
        due_date: date,
        note: null,
      }));
      expect(preview.body.occurrences).toEqual(dates);
      const series = await createSeries(ada, input);
      const saved = await ada.call('GET', `/tasks/${series.id}/occurrences?from=2027-03-27&limit=3`);
      expect(saved.body.occurrences).toEqual(dates);
      expect(await instances(ada, series)).toMatchObject([{ occurrence_date: '2027-03-27', due_date: '2027-03-27' }]);
    },
  );

  test('say of an all-day date that a zone leaves out where it goes', async () => {
    const ada = await api.person();
    const preview = await ada.call('POST', '/recurrence/preview', {
      ...{ recurrence_pattern: 'daily:', due_date: '2011-12-29', timezone: 'Pacific/Apia', limit: 3 },
    });
    expect(preview.body.occurrences).toEqual([
      { occurrence_date: '2011-12-29', due_date: '2011-12-29', note: null },
      {
        occurrence_date: '2011-12-30',
        due_date: '2011-12-31',
        note: '2011-12-30 does not exist in Pacific/Apia: moved to 2011-12-31',
      },
      { occurrence_date: '2011-12-31', due_date: '2011-12-31', note: null },
    ]);
  });

  test('name the part of a pattern that is wrong', async () => {
    const ada = await api.person();
    const { status, body } = await ada.call('POST', '/recurrence/preview', {
      recurrence_pattern: 'monthly:32',
      due_date: '2026-12-01',
    });
    expect(status).toBe(400);
    expect(body.message).toContain('32');
  });
});
