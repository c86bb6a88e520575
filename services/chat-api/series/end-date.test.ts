import { afterAll, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { type Json, type Person, startApi } from '../tasks/fixture.ts';

const database = await createDatabase();
const api = startApi(database);
afterAll(async () => {
  await api.stop();
  await database.drop();
});

type Series = Json & { id: string };
const pills = {
  title: 'Pills',
  due_date: '2027-01-04',
  timezone: 'Europe/Berlin',
  recurrence_pattern: 'daily:',
  recurrence_end_date: '2027-01-06',
};
const days = ['2027-01-04', '2027-01-05', '2027-01-06'];
const create = async (person: Person, changes: Json = {}) =>
  (await person.call('POST', '/tasks', { ...pills, ...changes })).body as Series;
const change = (person: Person, { id }: Series, changes: Json) => person.call('PATCH', `/tasks/${id}`, changes);
const read = async (person: Person, { id }: Series) => (await person.call('GET', `/tasks/${id}`)).body;
const dates = async (person: Person, { id }: Series) => {
  const { body } = await person.call('GET', `/tasks/${id}/occurrences?from=1970-01-01`);
  return (body.occurrences as Json[]).map(({ occurrence_date }) => occurrence_date);
};
const endOf = async ({ id }: Series) => {
  const [row] = await database.sql`select recurrence_end_date as at from tasks where id = ${id}`;
  return (row?.at as Date | null)?.toISOString();
};
const lastEvent = async ({ id }: Series) => (await api.events(id)).at(-1);

describe('a series whose last instance was deleted', () => {
  const noEnd = { recurrence_end_date: null };

  test.each([
    ['the last before its end', { recurrence_end_date: '2027-01-04' }, { title: 'New' }],
    ['the only one of its rule', { ...noEnd, recurrence_pattern: 'rrule:FREQ=DAILY;COUNT=1' }, { priority: 'low' }],
    ['the one on which it is ended', noEnd, { recurrence_end_date: '2027-01-04' }],
  ])('can be changed still: %s', async (_name, given, changes) => {
    const ada = await api.person();
    const series = await create(ada, given);
    const { list } = await ada.call('GET', `/tasks?parent=${series.id}`);
    await ada.call('DELETE', `/tasks/${list[0]?.id}`);
    const { status, body } = await change(ada, series, changes);
    expect({ status, body }).toMatchObject({ status: 200, body: changes });
    expect((await ada.call('GET', `/tasks?parent=${series.id}`)).list).toEqual([]);
  });
});

describe('a recurrence_end_date without time', () => {
  test('is answered and published as the date that it is', async () => {
    const ada = await api.person();
    const series = await create(ada);
    expect(series.recurrence_end_date).toBe('2027-01-06');
    expect(await read(ada, series)).toEqual(series);
    expect(await lastEvent(series)).toMatchObject({ task: { recurrence_end_date: '2027-01-06' } });
    expect(await dates(ada, series)).toEqual(days);
  });

  test.each(['Europe/London', 'Etc/GMT+12', 'America/Nuuk', 'Pacific/Kiritimati'])(
    'stays that date when its series moves to %s and back',
    async (timezone) => {
      const ada = await api.person();
      const series = await create(ada);
      const moved = await change(ada, series, { timezone });
      expect(moved.body).toMatchObject({ due_date: '2027-01-04', recurrence_end_date: '2027-01-06', timezone });
      expect(await dates(ada, series)).toEqual(days);
      expect(await lastEvent(series)).toMatchObject({ changes: { timezone: { old: 'Europe/Berlin', new: timezone } } });
      expect(Object.keys(((await lastEvent(series)) as { changes: Json }).changes)).toEqual(['timezone']);
      await change(ada, series, { timezone: 'Europe/Berlin' });
      expect(await dates(ada, series)).toEqual(days);
    },
  );

  test('lets the processor make its last date after a move', async () => {
    const ada = await api.person();
    const series = await create(ada);
    await change(ada, series, { timezone: 'Europe/London' });
    const items = ['2027-01-05', '2027-01-06', '2027-01-07'].map((occurrence_date) => ({
      ...{ parent_recurring_task_id: series.id, occurrence_date },
    }));
    const { body } = await api.asProcessor('POST', '/tasks/batch', { tasks: items });
    expect((body.results as Json[]).map(({ status }) => status)).toEqual([201, 201, 409]);
    const [row] = await database.sql`select next_instance_at from tasks where id = ${series.id}`;
    expect(row).toEqual({ next_instance_at: null });
  });

  test('holds for the whole day, whatever the time and wherever the clocks move it', async () => {
    const ada = await api.person();
    const evening = await create(ada, { due_date: '2027-01-04T23:59:59+01:00' });
    expect(await dates(ada, evening)).toEqual(days);
    const last = { due_date: '2027-03-26T23:30:00-02:00', timezone: 'America/Nuuk', recurrence_end_date: '2027-03-27' };
    const moved = await create(ada, last); // the second has no 23:30 and falls on 00:30 of the 28th
    expect(await dates(ada, moved)).toEqual(['2027-03-26', '2027-03-27']);
  });

  test('stays when the due date gets a time', async () => {
    const ada = await api.person();
    const series = await create(ada);
    const { body } = await change(ada, series, { due_date: '2027-01-04T20:00:00+01:00' });
    expect(body).toMatchObject({ due_date: '2027-01-04T19:00:00.000Z', recurrence_end_date: '2027-01-06' });
    expect(await dates(ada, series)).toEqual(days);
  });

  test('may be the first date, and not one before it', async () => {
    const ada = await api.person();
    expect(await dates(ada, await create(ada, { recurrence_end_date: '2027-01-04' }))).toEqual(['2027-01-04']);
    const { status, body } = await ada.call('POST', '/tasks', { ...pills, recurrence_end_date: '2027-01-03' });
    expect([status, body.message]).toEqual([400, 'recurrence_end_date: no occurrence falls on or before it']);
  });

  test.each(['1970-01-01', '2028-02-29', '9998-12-31'])('may be %s in the first and the last zone', async (date) => {
    const ada = await api.person();
    for (const timezone of ['Etc/GMT+12', 'Pacific/Kiritimati']) {
      const series = await create(ada, { due_date: '1970-01-01', timezone, recurrence_end_date: date });
      expect(series.recurrence_end_date).toBe(date);
      const { headers } = await ada.call('PUT', `/tasks/${series.id}`, series);
      expect(headers.get('etag')).toBe('"1"');
    }
  });

  test('changes nothing when what was read is sent back, and no event tells of it', async () => {
    const ada = await api.person();
    const series = await create(ada);
    const { headers } = await ada.call('PUT', `/tasks/${series.id}`, await read(ada, series));
    expect(headers.get('etag')).toBe('"1"');
    expect(await api.events(series.id)).toHaveLength(1);
  });

  test('is moved and taken away, each told by an event', async () => {
    const ada = await api.person();
    const series = await create(ada);
    await change(ada, series, { recurrence_end_date: '2027-01-05' });
    expect(await dates(ada, series)).toEqual(['2027-01-04', '2027-01-05']);
    const { body } = await change(ada, series, { recurrence_end_date: null });
    expect(body).not.toHaveProperty('recurrence_end_date');
    expect(await lastEvent(series)).toMatchObject({
      changes: { recurrence_end_date: { old: '2027-01-05', new: null } },
    });
    expect(await dates(ada, series)).toHaveLength(10);
  });

  test('changes its form when the same moment is sent as an instant', async () => {
    const ada = await api.person();
    const series = await create(ada);
    const { body } = await change(ada, series, { recurrence_end_date: '2027-01-06T23:59:59.999+01:00' });
    expect(body.recurrence_end_date).toBe('2027-01-06T22:59:59.999Z');
    expect(await lastEvent(series)).toMatchObject({
      changes: { recurrence_end_date: { old: '2027-01-06', new: '2027-01-06T22:59:59.999Z' } },
    });
  });

  test('is set for the series from one of its instances', async () => {
    const ada = await api.person();
    const series = await create(ada, { recurrence_end_date: null });
    const [instance] = (await ada.call('GET', `/tasks?parent=${series.id}`)).list;
    const { body } = await ada.call('PATCH', `/tasks/${instance?.id}?scope=series`, {
      recurrence_end_date: '2027-01-05',
    });
    expect(body).toMatchObject({ id: series.id, recurrence_end_date: '2027-01-05' });
    expect(await dates(ada, series)).toEqual(['2027-01-04', '2027-01-05']);
    expect(await read(ada, instance as Series)).not.toHaveProperty('recurrence_end_date');
  });

  test('is previewed as it will be kept', async () => {
    const ada = await api.person();
    const { title: _, ...pattern } = { ...pills, due_date: '2027-01-04T23:59:59+01:00' };
    const { body } = await ada.call('POST', '/recurrence/preview', pattern);
    expect((body.occurrences as Json[]).map(({ occurrence_date }) => occurrence_date)).toEqual(days);
  });
});

describe('an instant as recurrence_end_date', () => {
  test('is the last at which an occurrence may fall, in whichever zone', async () => {
    const ada = await api.person();
    const series = await create(ada, { recurrence_end_date: '2027-01-06T22:59:59.999Z' });
    expect(await dates(ada, series)).toEqual(days);
    const { body } = await change(ada, series, { timezone: 'Europe/London' });
    expect(body.recurrence_end_date).toBe('2027-01-06T22:59:59.999Z');
    expect(await dates(ada, series)).toEqual(['2027-01-04', '2027-01-05']);
  });
});

describe('the version before, which knows only instants', () => {
  test('ends the series where the date does, also after a move', async () => {
    const ada = await api.person();
    const series = await create(ada);
    expect(await endOf(series)).toBe('2027-01-06T22:59:59.999Z');
    await change(ada, series, { timezone: 'Pacific/Kiritimati' });
    expect(await endOf(series)).toBe('2027-01-06T09:59:59.999Z');
  });

  // What it writes leaves the new column as it was.
  test.each([
    ['a date', '2027-01-10T22:59:59.999Z', '2027-01-10T22:59:59.999Z'],
    ['an instant', '2027-01-05T07:00:00Z', '2027-01-05T07:00:00.000Z'],
    ['nothing', null, undefined],
  ])('may put %s in its place, which then counts', async (_what, at, expected) => {
    const ada = await api.person();
    const series = await create(ada);
    await database.sql`update tasks set recurrence_end_date = ${at} where id = ${series.id}`;
    expect((await read(ada, series)).recurrence_end_date).toBe(expected);
    const { body } = await change(ada, series, { timezone: 'Europe/London' });
    expect(body.recurrence_end_date).toBe(expected);
  });

  test('may move the series to another zone, and the date stays', async () => {
    const ada = await api.person();
    const series = await create(ada);
    await database.sql`update tasks set timezone = 'Asia/Tokyo' where id = ${series.id}`;
    expect((await read(ada, series)).recurrence_end_date).toBe('2027-01-06');
  });
});
