import { afterAll, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { type Person, startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database);
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const titles = async (person: Person, query: string) =>
  (await person.call('GET', `/tasks${query}`)).list.map(({ title }) => title);

async function withTasks(): Promise<Person> {
  const ada = await api.person({ timezone: 'Europe/Berlin' });
  const inputs = [
    { title: 'plain' },
    { title: 'late', due_date: '2026-11-23T10:00:00Z' },
    { title: 'tonight', due_date: '2026-11-24T22:30:00Z' },
    { title: 'tomorrow in Berlin', due_date: '2026-11-24T23:30:00Z' },
    { title: 'done', due_date: '2026-11-20T10:00:00Z', description: '100% of it' },
  ];
  for (const input of inputs) {
    api.clock.now = new Date(api.clock.now.getTime() + 1);
    const { body } = await ada.call('POST', '/tasks', input);
    if (input.title === 'done') await ada.call('PUT', `/tasks/${body.id}`, { completed: true });
  }
  return ada;
}

describe('GET /tasks', () => {
  test('is a bare array, newest first, and never cut without a limit', async () => {
    const ada = await api.person();
    await database.sql`
      insert into tasks (id, user_id, title, created_at)
      select gen_random_uuid(), ${ada.id}, 'Task ' || i, now() + i * interval '1 ms' from generate_series(1, 1500) as i`;
    const { list, headers } = await ada.call('GET', '/tasks');
    expect(list).toHaveLength(1500);
    expect(list[0]).toMatchObject({ title: 'Task 1500' });
    expect(headers.get('link')).toBeNull();
  });

  test.each([
    ['?completed=true', ['done']],
    ['?due=overdue', ['late']],
    ['?due=today', ['tonight']],
    ['?due=upcoming&sort=due_date', ['tonight', 'tomorrow in Berlin']],
    ['?due_from=2026-11-24&due_to=2026-11-24', ['tonight']],
    ['?due_from=2026-11-24T23:30:00Z', ['tomorrow in Berlin']],
    ['?q=LATE', ['late']],
    ['?q=100%25', ['done']],
    ['?q=%25', ['done']],
    ['?sort=due_date', ['done', 'late', 'tonight', 'tomorrow in Berlin', 'plain']],
    ['?sort=-due_date', ['tomorrow in Berlin', 'tonight', 'late', 'done', 'plain']],
  ])('answers %s', async (query, expected) => {
    const ada = await withTasks();
    expect(await titles(ada, query)).toEqual(expected);
  });

  test.each([
    ['CAF\u00c9', 'cafe\u0301'],
    ['cafe\u0301', 'caf\u00e9'],
    ['Ärger', 'ÄRGER'],
    ['istanbul', 'İstanbul'],
    ['100%_\\', '100%_\\'],
  ])('finds by q=%s the %s in title and description, in any case and form', async (q, text) => {
    const ada = await api.person();
    const inputs = [{ title: `a ${text} b` }, { title: 'described', description: `a ${text} b` }, { title: '100xy' }];
    for (const input of inputs) await ada.call('POST', '/tasks', input);
    const found = await titles(ada, `?q=${encodeURIComponent(` ${q} `)}&sort=created_at`);
    expect(found.toSorted()).toEqual([`a ${text} b`, 'described']);
    expect(await titles(ada, `?q=${encodeURIComponent(`${q} c`)}`)).toEqual([]);
  });

  test('knows tasks, series and instances, and leaves series out of what is due', async () => {
    const ada = await api.person();
    await ada.call('POST', '/tasks', { title: 'x', due_date: '2027-01-01', recurrence_pattern: 'daily:' });
    await ada.call('POST', '/tasks', { title: 'plain' });
    const kinds = await Promise.all(
      ['?kind=series', '?kind=instance', '?kind=task', '?due=upcoming', ''].map((query) => titles(ada, query)),
    );
    expect(kinds.map((found) => found.length)).toEqual([1, 1, 1, 1, 3]);
  });

  test.each(['created_at', '-created_at', 'due_date', '-due_date', '-updated_at'])(
    'pages by the Link header through all tasks once, sorted by %s',
    async (sort) => {
      const ada = await withTasks();
      const all = await titles(ada, `?sort=${sort}`);
      const found: unknown[] = [];
      for (let path: string | undefined = `/tasks?sort=${sort}&limit=2`; path !== undefined;) {
        const { list, headers } = await ada.call('GET', path);
        found.push(...list.map(({ title }) => title));
        expect(list.length).toBeLessThanOrEqual(2);
        path = /^<\/api\/v1(.+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
      }
      expect(found).toEqual(all);
    },
  );

  test('pages through what was created within one millisecond', async () => {
    const ada = await api.person();
    await database.sql`
      insert into tasks (id, user_id, title, created_at)
      select gen_random_uuid(), ${ada.id}, i::text, '2026-11-24T10:00:00Z'::timestamptz + i * interval '1 microsecond'
      from generate_series(1, 6) as i`;
    const first = await ada.call('GET', '/tasks?limit=3');
    const cursor = /cursor=([^>&]+)/.exec(first.headers.get('link') ?? '')?.[1];
    expect(first.list.map(({ title }) => title)).toEqual(['6', '5', '4']);
    expect(await titles(ada, `?limit=3&cursor=${cursor}`)).toEqual(['3', '2', '1']);
  });

  test.each([
    'q=%00',
    `q=e${'%CC%81'.repeat(31)}`,
    'completed=maybe',
    'due=never',
    'due_from=yesterday',
    'kind=thing',
    'parent=1',
    'sort=name',
    'limit=0',
    'limit=1001',
    'cursor=abc',
    'sort=__proto__',
    'sort=toString',
    ...['0000-01-01 00:00:00+00', '2026-02-30 00:00:00+00', '2026-01-01 00:00:00+99', '2026-- :  : : : :'].map(
      (at) =>
        `cursor=${Buffer.from(JSON.stringify(['-created_at', at, '01a21063-95e2-7485-a55b-5bf3f23ff4b4'])).toString('base64url')}`,
    ),
  ])('refuses %s naming it', async (query) => {
    const ada = await api.person();
    const { status, body } = await ada.call('GET', `/tasks?${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'INVALID_QUERY', message: expect.stringContaining(query.split('=')[0] ?? '') });
  });

  test.each(['due_from', 'due_to'])('says of %s how the + of an offset is written', async (field) => {
    const ada = await api.person();
    const { status, body } = await ada.call('GET', `/tasks?${field}=2026-12-01T09:00:00+01:00`);
    expect([status, body.code]).toEqual([400, 'INVALID_QUERY']);
    expect(body.message).toStartWith(`${field}: `);
    expect(body.message).toContain('%2B');
    expect((await ada.call('GET', `/tasks?${field}=2026-12-01T09:00:00%2B01:00`)).status).toBe(200);
  });

  test("holds nobody else's tasks", async () => {
    const [ada, bob] = [await api.person(), await api.person()];
    await ada.call('POST', '/tasks', { title: 'mine' });
    expect((await bob.call('GET', '/tasks')).list).toEqual([]);
  });
});
