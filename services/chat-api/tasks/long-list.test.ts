import { afterAll, describe, expect, test } from 'bun:test';
import { PART } from '#shared/page';
import { createDatabase } from '../../../test/support/database.ts';
import { type Json, type Person, startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database);
afterAll(async () => {
  await api.stop();
  await database.drop();
});

/** The longest task: a title and a description of characters of four bytes. */
const TASK_BYTES = 4 * (255 + 5000);
/** More than are read by a plain statement. */
const COUNT = 220;

/** A person with tasks of 4.4 MB, and their titles, newest first. */
async function withLongList(): Promise<{ ada: Person; titles: string[] }> {
  const ada = await api.person();
  await database.sql`
    insert into tasks (id, user_id, title, description, created_at)
    select gen_random_uuid(), ${ada.id}, i::text, repeat('😀', 5000), '2026-11-24T10:00:00Z'::timestamptz + i * interval '1 microsecond'
    from generate_series(1, ${COUNT}) as i`;
  return { ada, titles: Array.from({ length: COUNT }, (_, i) => String(COUNT - i)) };
}

const titlesOf = (text: string) => (JSON.parse(text) as Json[]).map(({ title }) => title);

async function partsOf({ body }: Response): Promise<string[]> {
  const decoder = new TextDecoder();
  const parts = await Array.fromAsync(body ?? [], (part: Uint8Array) => decoder.decode(part));
  return parts;
}

describe('a long GET /tasks', () => {
  test('comes in parts of which none is long, and is whole', async () => {
    const { ada, titles } = await withLongList();
    const parts = await partsOf(await ada.open('/tasks'));
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) expect(part.length).toBeLessThan(PART.bytes + 2 * TASK_BYTES);
    expect(titlesOf(parts.join(''))).toEqual(titles);
  });

  test.each(['created_at', '-updated_at', 'due_date', '-due_date'])('is whole sorted by %s', async (sort) => {
    const { ada, titles } = await withLongList();
    const found = titlesOf(await (await ada.open(`/tasks?sort=${sort}&completed=false&q=`)).text());
    expect(found.toSorted()).toEqual(titles.toSorted());
  });

  test('comes in parts of 1,000 tasks, where they are small', async () => {
    const ada = await api.person();
    await database.sql`
      insert into tasks (id, user_id, title) select gen_random_uuid(), ${ada.id}, i::text from generate_series(1, 2001) as i`;
    const parts = await partsOf(await ada.open('/tasks'));
    expect(parts).toHaveLength(4);
    expect(new Set(titlesOf(parts.join(''))).size).toBe(2001);
  });

  test('is read as it is taken: new tasks are not in it, nor what was deleted before its turn', async () => {
    const { ada, titles } = await withLongList();
    const reader = (await ada.open('/tasks')).body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    api.clock.now = new Date('2026-11-24T10:00:01Z');
    await ada.call('POST', '/tasks', { title: 'new' });
    await database.sql`delete from tasks where user_id = ${ada.id} and title = '1'`;
    let rest = '';
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
      rest += new TextDecoder().decode(part.value);
    expect(titlesOf(first + rest)).toEqual(titles.slice(0, -1));
  });

  test('breaks off when the database fails, so that nobody takes a part for the whole', async () => {
    const { ada } = await withLongList();
    const answer = await ada.open('/tasks');
    await database.sql`revoke select on tasks from taskflow_chat_api`;
    try {
      await expect(answer.text()).rejects.toThrow();
    } finally {
      await database.sql`grant select on tasks to taskflow_chat_api`;
    }
    expect(api.longAnswers.open()).toBe(0);
  });

  test('of one user may be read 4 times at once; a place is free when it was read or left', async () => {
    const { ada } = await withLongList();
    const open = await Promise.all([1, 2, 3, 4].map(() => ada.open('/tasks')));
    const refused = await ada.call('GET', '/tasks');
    expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_LONG_ANSWERS']);
    expect(refused.headers.get('retry-after')).toBe('5');
    const { ada: bob } = await withLongList();
    expect((await bob.call('GET', '/tasks')).list).toHaveLength(COUNT);
    await open[0]?.body?.cancel();
    expect((await ada.call('GET', '/tasks')).list).toHaveLength(COUNT);
    await Promise.all(open.slice(1).map((answer) => answer.text()));
    expect(api.longAnswers.open()).toBe(0);
  });

  test('takes no place for HEAD', async () => {
    const { ada } = await withLongList();
    const answers = await Promise.all(Array.from({ length: 6 }, () => ada.open('/tasks', 'HEAD')));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(api.longAnswers.open()).toBe(0);
  });
});

test('a page of GET /tasks?limit= holds 1 MiB at the most, and its Link leads on', async () => {
  const { ada, titles } = await withLongList();
  const found: unknown[] = [];
  let pages = 0;
  for (let path: string | undefined = '/tasks?limit=1000'; path !== undefined; pages++) {
    const { list, headers } = await ada.call('GET', path);
    expect(JSON.stringify(list).length).toBeLessThan(1024 * 1024);
    found.push(...list.map(({ title }) => title));
    path = /^<\/api\/v1(.+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
  }
  expect(pages).toBe(5);
  expect(found).toEqual(titles);
});

describe('a page of few tasks with much text', () => {
  test('is a long answer too: nobody has more of them unread than of those, and it says what follows', async () => {
    const { ada, titles } = await withLongList();
    const open = await Promise.all(Array.from({ length: 4 }, () => ada.open('/tasks?limit=200')));
    expect(open.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const refused = await ada.call('GET', '/tasks?limit=200');
    expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_LONG_ANSWERS']);
    expect((await ada.call('GET', '/tasks?limit=5')).list).toHaveLength(5);
    for (const answer of open) {
      expect(answer.headers.get('link')).toContain('rel="next"');
      expect(titlesOf(await answer.text())).toEqual(titles.slice(0, 200));
    }
    expect(api.longAnswers.open()).toBe(0);
  });
});

test('long results of batches are held 4 times for one user who reads none, and the next stores nothing', async () => {
  const ada = await api.person();
  const tasks = Array.from({ length: 40 }, (_, i) => ({ title: `${i}`, description: 'ä😀'.repeat(2500) }));
  const open = () => ada.open('/tasks/batch', 'POST', { tasks });
  const unread = await Promise.all([open(), open(), open(), open()]);
  const refused = await open();
  expect([refused.status, ((await refused.json()) as Json).code]).toEqual([429, 'TOO_MANY_LONG_ANSWERS']);
  for (const answer of unread) {
    const { results } = (await answer.json()) as { results: { status: number; task: Json }[] };
    expect(results.map(({ status, task }) => [status, task.title])).toEqual(tasks.map(({ title }) => [201, title]));
    expect(results.at(-1)?.task.description).toBe(tasks[39]?.description);
  }
  const [row] = await database.sql`select count(*)::int as count from tasks where user_id = ${ada.id}`;
  expect(row).toEqual({ count: 160 });
  expect(api.longAnswers.open()).toBe(0);
});
