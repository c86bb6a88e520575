import { afterAll, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { type Person, startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database, { tasksPerUser: 5 });
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const create = (person: Person, input: object = {}) => person.call('POST', '/tasks', { title: 'T', ...input });
const later = (ms: number) => void (api.clock.now = new Date(api.clock.now.getTime() + ms));
const resultsOf = (body: object) => (body as { results: { status: number; code?: string }[] }).results;
/** What `GET /tasks` has of each kind. */
const countOf = async (person: Person) => (await person.call('GET', '/tasks')).list.length;

describe('the tasks of a user', () => {
  test('are as many as the setting says, however many come at once, and nobody else has fewer for it', async () => {
    const [ada, bob] = [await api.person(), await api.person()];
    const answers = await Promise.all(Array.from({ length: 12 }, () => create(ada)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(5).fill(201), ...Array(7).fill(409)]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: 'You have 5 tasks, which is the most. Delete some first.',
    });
    expect(await countOf(ada)).toBe(5);
    expect((await create(bob)).status).toBe(201);
  });

  test('of a batch are refused one by one', async () => {
    const ada = await api.person();
    await create(ada);
    const tasks = [{ title: 'a' }, { title: '' }, ...'bcdef'.split('').map((title) => ({ title }))];
    const { status, body } = await ada.call('POST', '/tasks/batch', { tasks });
    expect(status).toBe(200);
    expect(resultsOf(body).map((result) => result.code ?? result.status)).toEqual([
      201,
      'TASK_CREATION_ERROR',
      201,
      201,
      201,
      'QUOTA_EXCEEDED',
      'QUOTA_EXCEEDED',
    ]);
  });

  test('count a series as one, and its instances not at all', async () => {
    const ada = await api.person();
    const series = await create(ada, { recurrence_pattern: 'daily:', due_date: '2026-11-20T09:00:00Z' });
    const items = [21, 22, 23, 24].map((day) => ({
      parent_recurring_task_id: series.body.id,
      occurrence_date: `2026-11-${day}`,
    }));
    const created = await api.asProcessor('POST', '/tasks/batch', { tasks: items });
    expect(resultsOf(created.body).map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    later(60_000);
    expect((await Promise.all([1, 2, 3, 4, 5].map(() => create(ada)))).map(({ status }) => status).toSorted()).toEqual([
      201, 201, 201, 201, 409,
    ]);
    expect(await countOf(ada)).toBe(10);
  });

  test('may be created again a second after some were deleted, and changed at any time', async () => {
    const ada = await api.person();
    const [first] = (await Promise.all([1, 2, 3, 4, 5].map(() => create(ada)))).map(({ body }) => String(body.id));
    expect((await ada.call('PATCH', `/tasks/${first}`, { title: 'Changed' })).status).toBe(200);
    await ada.call('DELETE', `/tasks/${first}`);
    later(999);
    expect((await create(ada)).status).toBe(409);
    later(1);
    expect([(await create(ada)).status, (await create(ada)).status]).toEqual([201, 409]);
  });

  test('that another replica created are seen within a minute', async () => {
    const ada = await api.person();
    await create(ada);
    await database.sql`
      insert into tasks (id, user_id, title) select gen_random_uuid(), ${ada.id}, 'x' from generate_series(1, 4)`;
    later(60_000);
    expect((await create(ada)).status).toBe(409);
  });

  test('that are answered again for an Idempotency-Key take no room', async () => {
    const ada = await api.person();
    const keyed = (key: string) => ada.call('POST', '/tasks', { title: 'T' }, { 'idempotency-key': key });
    for (const key of ['1', '2', '3', '4', '5']) expect((await keyed(key)).status).toBe(201);
    expect([(await keyed('5')).status, (await keyed('6')).status]).toEqual([201, 409]);
  });

  test('are counted again when a count has failed', async () => {
    const ada = await api.person();
    await database.sql`revoke select on tasks from taskflow_chat_api`;
    try {
      expect((await create(ada)).status).toBe(500);
    } finally {
      await database.sql`grant select on tasks to taskflow_chat_api`;
    }
    expect((await create(ada)).status).toBe(201);
  });
});
