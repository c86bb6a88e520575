import { afterAll, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { type Json, type Person, startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database);
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const create = (person: Person, key: string, input: Json | string = { title: 'Once' }) =>
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

  test('knows one body in any order of its keys, at every level', async () => {
    const ada = await api.person();
    const first = await create(ada, 'k', { title: 'a', more: { b: [{ c: 1, d: 2 }], a: 1 }, 2: 'x', 1: 'y' });
    const again = await create(ada, 'k', { 1: 'y', 2: 'x', more: { a: 1, b: [{ d: 2, c: 1 }] }, title: 'a' });
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
    const another = await create(ada, 'k', { title: 'a', more: { b: [{ c: 2, d: 1 }], a: 1 }, 2: 'x', 1: 'y' });
    expect(another.status).toBe(409);
  });

  test.each([
    ['blanks', '{"title":"a","n":1}', ' {\n "title" : "a",\t"n": 1 } '],
    ['escapes', '{"title":"caf\u00e9 \u{1f600}"}', '{"\\u0074itle":"caf\\u00e9 \\ud83d\\ude00"}'],
    ['numbers', '{"title":"a","n":[1,0,100,1e-7]}', '{"title":"a","n":[1.0,-0,1e2,0.0000001]}'],
    ['a key that comes twice: the last counts', '{"title":"a"}', '{"title":"b","title":"a"}'],
    ['a key that objects have by birth', '{"title":"a","__proto__":{"x":1}}', '{"__proto__":{"x":1},"title":"a"}'],
  ])('knows one body in another spelling: %s', async (_what, first, again) => {
    const ada = await api.person();
    const id = (await create(ada, 'k', first)).body.id;
    expect(await create(ada, 'k', again)).toMatchObject({ status: 201, body: { id } });
    const without = JSON.stringify({ ...JSON.parse(again), title: 'other' });
    expect((await create(ada, 'k', without)).status).toBe(409);
  });

  test.each([
    ['a number and its text', '{"title":"a","n":1}', '{"title":"a","n":"1"}'],
    ['a list in another order', '{"title":"a","n":[1,2]}', '{"title":"a","n":[2,1]}'],
    ['what is absent and what is null', '{"title":"a"}', '{"title":"a","n":null}'],
    ['é in one and in two code points', '{"title":"\u00e9"}', '{"title":"e\u0301"}'],
    ['a key that objects have by birth', '{"title":"a","__proto__":{"x":1}}', '{"title":"a","__proto__":{"x":2}}'],
  ])('tells apart %s', async (_what, first, other) => {
    const ada = await api.person();
    await create(ada, 'k', first);
    expect((await create(ada, 'k', other)).status).toBe(409);
  });

  test('takes the widest of bodies in any order', async () => {
    const ada = await api.person();
    const keys = Array.from({ length: 9990 }, (_, n) => [`key ${n}`, n]);
    const first = await create(ada, 'k', { title: 'wide', ...Object.fromEntries(keys) });
    const again = await create(ada, 'k', { ...Object.fromEntries(keys.reverse()), title: 'wide' });
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
  });

  test.each(['/tasks', '/tasks/batch'])('belongs to %s however the address is spelled', async (path) => {
    const ada = await api.person();
    const body = path === '/tasks' ? { title: 'a' } : { tasks: [{ title: 'a' }] };
    for (const spelling of [path, `${path}/`, `${path}?x=1`, `${path}/?`])
      expect((await ada.call('POST', spelling, body, { 'idempotency-key': 'k' })).status).toBeLessThan(300);
    expect(await count(ada)).toBe(1);
  });

  test('of a snooze belongs to the task however its id is spelled', async () => {
    const ada = await api.person();
    const due = { title: 'a', due_date: '2026-12-01T09:00:00Z', reminder_offset: 'PT1H' };
    const [one, two] = [(await ada.call('POST', '/tasks', due)).body, (await ada.call('POST', '/tasks', due)).body];
    function snooze(address: string) {
      api.clock.now = new Date(api.clock.now.getTime() + 1000);
      return ada.call('POST', `/tasks/${address}`, { for: 'PT10M' }, { 'idempotency-key': 'k' });
    }
    const id = String(one.id);
    const encoded = `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`;
    for (const spelling of [id, id.toUpperCase(), encoded])
      expect(await snooze(`${spelling}/snooze`)).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await snooze(`${id}/snooze/`)).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await snooze(`${two.id}/snooze`)).toMatchObject({ status: 200, body: { id: two.id, version: 2 } });
    expect(await api.events(id)).toHaveLength(2);
  });

  test.each([
    ['short', '1'],
    ['of NUL', '%00'],
    ['too long for an index', crypto.getRandomValues(new Uint8Array(4000)).toHex()],
  ])('changes nothing of the 404 for an id that is none: %s', async (_what, id) => {
    const ada = await api.person();
    const { status } = await ada.call('POST', `/tasks/${id}/snooze`, { for: 'PT1M' }, { 'idempotency-key': 'k' });
    expect(status).toBe(404);
  });

  test('that was used before this form still gives its answer', async () => {
    const ada = await api.person();
    const { id } = (await create(ada, 'k', { title: 'a', priority: 'low' })).body;
    const asSent = new Bun.CryptoHasher('sha256').update('{"title":"a","priority":"low"}').digest();
    await database.sql`update idempotency_keys set request_hash = ${asSent} where user_id = ${ada.id} and path = '/api/v1/tasks'`;
    expect((await create(ada, 'k', { title: 'a', priority: 'low' })).body.id).toBe(id);
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

  test.each([' k ', 'cl\u00e9', '"k"', 'x'.repeat(255)])('may be %j', async (key) => {
    const ada = await api.person();
    const { id } = (await create(ada, key)).body;
    expect(await create(ada, key.trim())).toMatchObject({ status: 201, body: { id } });
  });

  test.each(['', ' ', 'x'.repeat(256)])('may not be %j', async (key) => {
    const ada = await api.person();
    expect(await create(ada, key)).toMatchObject({ status: 400, body: { code: 'INVALID_IDEMPOTENCY_KEY' } });
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
