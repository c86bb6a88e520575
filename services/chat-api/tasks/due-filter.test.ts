import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { clock, dayNumber, dayText, zones } from '../../../test/support/calendar.ts';
import { type Json, type Person, startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database);
afterAll(async () => {
  await api.stop();
  await database.drop();
});
beforeEach(() => {
  api.clock.now = new Date('2026-11-24T20:00:00.000Z'); // in Berlin 21:00, in Tokyo 05:00 of the next day
});

const titles = async (person: Person, query: string) =>
  (await person.call('GET', `/tasks?${query}`)).list.map(({ title }) => String(title)).toSorted();
const moveTo = (person: Person, timezone: string) =>
  database.sql`update users set timezone = ${timezone} where id = ${person.id}`;

async function withTasks(person: Person, tasks: Json[]): Promise<Person> {
  for (let i = 0; i < tasks.length; i += 100) {
    const { body } = await person.call('POST', '/tasks/batch', { tasks: tasks.slice(i, i + 100) });
    expect((body.results as Json[]).every(({ status }) => status === 201)).toBe(true);
  }
  return person;
}

/** Three all-day tasks of Berlin and as many with a time, then the move to Tokyo. */
async function moved(): Promise<Person> {
  const ada = await api.person({ timezone: 'Europe/Berlin' });
  await withTasks(ada, [
    { title: '24', due_date: '2026-11-24' },
    { title: '25', due_date: '2026-11-25' },
    { title: '26', due_date: '2026-11-26' },
    { title: '19:59', due_date: '2026-11-24T19:59:59.999Z' },
    { title: '20:00', due_date: '2026-11-24T20:00:00Z' },
    { title: 'at the end of the 25th in Tokyo', due_date: '2026-11-25T14:59:59.999Z' },
    { title: 'at the start of the 26th in Tokyo', due_date: '2026-11-25T15:00:00Z' },
    { title: 'series', due_date: '2026-11-25', recurrence_pattern: 'monthly:' },
  ]);
  await moveTo(ada, 'Asia/Tokyo');
  return ada;
}

describe('GET /tasks after a move from Berlin to Tokyo', () => {
  test.each([
    ['due=today', ['19:59', '20:00', '25', 'at the end of the 25th in Tokyo', 'series']],
    ['due=overdue', ['19:59', '24']],
    [
      'due=upcoming',
      ['20:00', '25', '26', 'at the end of the 25th in Tokyo', 'at the start of the 26th in Tokyo', 'series'],
    ],
    ['due_from=2026-11-25&due_to=2026-11-25&kind=task', ['19:59', '20:00', '25', 'at the end of the 25th in Tokyo']],
    ['due_to=2026-11-24&kind=task', ['24']],
    ['due_from=2026-11-26&kind=task', ['26', 'at the start of the 26th in Tokyo']],
    // In Tokyo the instant lies on the 25th, in Berlin on the 24th.
    [
      'due_from=2026-11-24T20:00:00Z&due_to=2026-11-25T14:59:59.999Z&kind=task',
      ['20:00', '25', 'at the end of the 25th in Tokyo'],
    ],
    ['due_to=2026-11-24T20:00:00Z&kind=task', ['19:59', '20:00', '24', '25']],
    ['due=today&due_from=2026-11-24T20:00:00Z&kind=task', ['20:00', '25', 'at the end of the 25th in Tokyo']],
  ])('answers %s by the date that it is there', async (query, expected) => {
    expect(await titles(await moved(), query)).toEqual(expected);
  });

  test('pages through an all-day filter as through any', async () => {
    const ada = await moved();
    const first = await ada.call('GET', '/tasks?due=upcoming&sort=due_date&limit=3');
    const next = /^<\/api\/v1(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await ada.call('GET', next);
    expect([...first.list, ...second.list].map(({ title }) => String(title))).toHaveLength(6);
    expect(second.headers.get('link')).toBeNull();
  });
});

describe('an all-day task of any zone', () => {
  const everywhere = [...zones, 'Asia/Tokyo', 'Etc/GMT+12', 'Etc/GMT-14'];
  const people = ['Europe/Berlin', 'Pacific/Kiritimati', 'Etc/GMT+12', 'America/Nuuk'];

  test.each([
    ['an ordinary day', '2026-11-24', ['2026-11-24T00:30:00Z', '2026-11-24T11:30:00Z', '2026-11-24T23:30:00Z']],
    ['days on which clocks change', '2027-03-28', ['2027-03-27T23:30:00Z', '2027-03-28T01:30:00Z']],
    ['a leap day', '2028-02-29', ['2028-02-29T12:00:00Z', '2028-03-01T01:00:00Z']],
  ])('is due by its date and the date of whoever asks: %s', async (_what, date, moments) => {
    const days = Array.from({ length: 5 }, (_, i) => dayText(dayNumber(date) - 2 + i));
    const tasks = everywhere.flatMap((timezone) =>
      days.map((due_date) => ({ title: `${due_date} ${timezone}`, due_date, timezone })),
    );
    const ada = await withTasks(await api.person(), tasks);
    const due = (isIn: (day: string) => boolean) =>
      tasks
        .filter(({ due_date }) => isIn(due_date))
        .map(({ title }) => title)
        .toSorted();
    for (const zone of people) {
      await moveTo(ada, zone);
      for (const moment of moments) {
        api.clock.now = new Date(moment);
        const today = dayText(clock(zone).read(api.clock.now.getTime()).day);
        expect(await titles(ada, 'due=today')).toEqual(due((day) => day === today));
        expect(await titles(ada, 'due=overdue')).toEqual(due((day) => day < today));
        expect(await titles(ada, 'due=upcoming')).toEqual(due((day) => day >= today));
        expect(await titles(ada, `due_from=${moment}`)).toEqual(due((day) => day >= today));
        expect(await titles(ada, `due_to=${moment}`)).toEqual(due((day) => day <= today));
        expect(await titles(ada, `due_from=${date}&due_to=${date}`)).toEqual(due((day) => day === date));
      }
    }
  });
});
