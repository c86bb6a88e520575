import { afterAll, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { type Json, type Person, startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database);
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const create = (person: Person, key: string, input: Json = { title: 'Once' }) =>
  person.call('POST', '/tasks', input, { 'idempotency-key': key });
const count = async (person: Person) => (await person.call('GET', '/tasks')).list.length;

describe('Idempotency-Key', () => {
  test('answers the same again and creates nothing', async () => {
    const ada = await api.person();
    const first = await create(ada, 'k');
    const again = await create(ada, 'k');
    expect([again.status, again.body, again.headers.get('etag')]).toEqual([201, first.body, '"1"']);
    expect(await count(ada)).toBe(1);
    expect(await api.events(first.body.id)).toHaveLength(1);
  });

  test('lets simultaneous twins create one task', async () => {
    const ada = await api.person();
    const answers = await Promise.all(Array.from({ length: 6 }, () => create(ada, 'k')));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await count(ada)).toBe(1);
  });

  test('with another body is a conflict', async () => {
    const ada = await api.person();
    await create(ada, 'k');
    const { status, body } = await create(ada, 'k', { title: 'Twice' });
    expect([status, body.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  });

  test('of a refused request is free again', async () => {
    const ada = await api.person();
    expect((await create(ada, 'k', { title: '' })).status).toBe(400);
    expect((await create(ada, 'k')).status).toBe(201);
  });

  test('belongs to one user, one path and 24 hours', async () => {
    const [ada, bob] = [await api.person(), await api.person()];
    await create(ada, 'k');
    expect((await create(bob, 'k', { title: 'Other' })).status).toBe(201);
    const batch = await ada.call('POST', '/tasks/batch', { tasks: [{ title: 'b' }] }, { 'idempotency-key': 'k' });
    expect(batch.status).toBe(200);
    await database.sql`update idempotency_keys set created_at = now() - interval '25 hours'`;
    expect((await create(ada, 'k', { title: 'A day later' })).status).toBe(201);
  });

  test('must have 1 to 255 characters', async () => {
    const ada = await api.person();
    expect((await create(ada, 'x'.repeat(256))).body.code).toBe('INVALID_IDEMPOTENCY_KEY');
  });
});

describe('POST /tasks/batch', () => {
  test('gives each item its own result, in order', async () => {
    const ada = await api.person();
    const { status, body } = await ada.call('POST', '/tasks/batch', {
      tasks: [{ title: 'one' }, { title: '' }, 'nonsense', { title: 'two', priority: 'low' }],
    });
    expect(status).toBe(200);
    expect(body.results).toMatchObject([
      { status: 201, task: { title: 'one' } },
      { status: 400, code: 'TASK_CREATION_ERROR', message: expect.stringContaining('title') },
      { status: 400, code: 'TASK_CREATION_ERROR' },
      { status: 201, task: { title: 'two', priority: 'low', version: 1 } },
    ]);
    expect(await count(ada)).toBe(2);
  });

  test('takes 1 to 100 items', async () => {
    const ada = await api.person();
    for (const tasks of [[], Array(101).fill({ title: 'x' }), 'x', undefined])
      expect((await ada.call('POST', '/tasks/batch', { tasks })).status).toBe(400);
    expect((await ada.call('POST', '/tasks/batch', { tasks: Array(100).fill({ title: 'x' }) })).status).toBe(200);
  });
});
