import { describe, expect, test } from 'bun:test';
import { refused } from './accounts.ts';
import { type Client, type Json, TIME, UUID } from './fixtures/client.ts';

const NOBODYS = '00000000-0000-7000-8000-000000000000';

/** The rows of the contract about tasks. */
export function tasks(client: () => Client): void {
  const someone = async () => (await client().someone()).token;
  const another = async () => (await client().another()).token;
  const create = async (json: unknown) => client().call('POST', '/tasks', { token: await someone(), json });

  describe('POST /tasks', () => {
    test('answers 201 with the seven fields of Phase IV and no other', async () => {
      const { token, user } = await client().someone();
      const answer = await client().call('POST', '/tasks', { token, json: { title: 'Buy milk' } });
      expect(answer.status).toBe(201);
      expect(answer.json).toEqual({
        id: expect.stringMatching(UUID),
        user_id: user.id,
        title: 'Buy milk',
        description: null,
        completed: false,
        created_at: expect.stringMatching(TIME),
        updated_at: expect.stringMatching(TIME),
      });
    });

    test('trims the title and keeps the description', async () => {
      const answer = await create({ title: '  Tea \n', description: ' two\nlines ' });
      expect(answer.json).toMatchObject({ title: 'Tea', description: ' two\nlines ' });
    });

    test('ignores unknown fields, and those that are the server’s', async () => {
      const answer = await create({
        title: 'T',
        id: NOBODYS,
        user_id: NOBODYS,
        completed: true,
        created_at: 'x',
        zzz: { a: 1 },
      });
      expect(answer.status).toBe(201);
      expect(answer.json).toMatchObject({ completed: false });
      expect([answer.json.id, answer.json.user_id]).not.toContain(NOBODYS);
      expect(Object.keys(answer.json)).toHaveLength(7);
    });

    test.each([
      ['1 character', 'x', null],
      ['255 characters', 'x'.repeat(255), null],
      ['255 characters of four bytes', '😀'.repeat(255), null],
      ['255 characters between blanks', `  ${'x'.repeat(255)}  `, null],
      ['joiners, flags and marks as they are', ' 👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️ می‌خواهم cafe\u0301 \u200b', 'e\u0301\u200d'],
      ['a description of 5000 characters', 'T', 'é'.repeat(5000)],
      ['a description of 5000 characters of four bytes', 'T', '😀'.repeat(5000)],
      ['an empty description', 'T', ''],
    ])('takes %s', async (_name, title, description) => {
      const answer = await create({ title, description });
      expect(answer.status).toBe(201);
      expect(answer.json).toMatchObject({ title: title.trim(), description });
    });

    test.each([
      ['no title', {}],
      ['an empty title', { title: '' }],
      ['a blank title', { title: ' \t\n ' }],
      ['a title that shows nothing', { title: '\u200b\u2060' }],
      ['a title of fillers', { title: ' \u3164\u2800\ufe0f ' }],
      ['a title of 256 characters', { title: 'x'.repeat(256) }],
      ['a title of 256 characters of four bytes', { title: '😀'.repeat(256) }],
      ['a title that is null', { title: null }],
      ['a title that is a number', { title: 5 }],
      ['a description of 5001 characters', { title: 'T', description: 'x'.repeat(5001) }],
      ['a description of 5001 characters of four bytes', { title: 'T', description: '😀'.repeat(5001) }],
      ['a description that is a list', { title: 'T', description: ['x'] }],
      ['a title with U+0000', { title: 'a\0b' }],
      ['a description with U+0000', { title: 'T', description: '\0' }],
      ['a list', [{ title: 'T' }]],
      ['a text', 'T'],
      ['null', null],
    ])('refuses %s', async (_name, json) => {
      refused(await create(json), 400, 'TASK_CREATION_ERROR');
    });

    test('refuses half of a surrogate pair', async () => {
      const body = '{"title":"a\\ud800b"}';
      refused(await send({ body, type: 'application/json' }), 400, 'TASK_CREATION_ERROR');
    });

    test.each(['{', '', '{"title":"T"', '{"title":"T"} x', "{'title':'T'}", '\u00ff'])(
      'refuses malformed JSON: %p',
      async (body) => {
        refused(await send({ body, type: 'application/json' }), 400, 'TASK_CREATION_ERROR');
      },
    );

    test('refuses bytes that are not UTF-8', async () => {
      const body = new Uint8Array([...Buffer.from('{"title":"a'), 0xff, ...Buffer.from('"}')]);
      refused(await send({ body, type: 'application/json' }), 400, 'TASK_CREATION_ERROR');
    });

    test.each([
      ['lists in the title', `{"title":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
      ['objects in an unknown field', `{"title":"T","x":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
    ])('answers huge nesting by a refusal: %s', async (_name, body) => {
      const answer = await send({ body, type: 'application/json' });
      expect([201, 400]).toContain(answer.status);
    });

    test.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
    ])('refuses %s with 415', async (type) => {
      refused(await send({ body: '{"title":"T"}', type }), 415);
    });

    test('takes application/json with a charset', async () => {
      expect((await send({ body: '{"title":"T"}', type: 'application/json; charset=utf-8' })).status).toBe(201);
    });

    test('takes a body of 1 MiB and refuses a longer one with 413', async () => {
      const [start, end] = ['{"title":"T","x":"', '"}'];
      const fill = 1024 * 1024 - start.length - end.length;
      const type = 'application/json';
      expect((await send({ body: start + 'x'.repeat(fill) + end, type })).status).toBe(201);
      refused(await send({ body: start + 'x'.repeat(fill + 1) + end, type }), 413);
    });

    test('refuses a body over 1 MiB that does not say its length', async () => {
      const body = new ReadableStream({
        start(controller) {
          for (let i = 0; i < 20; i++) controller.enqueue(new Uint8Array(64 * 1024).fill(32));
          controller.close();
        },
      });
      refused(await send({ body, type: 'application/json' }), 413);
    });

    test('treats SQL and HTML as text', async () => {
      const title = `Robert'); drop table tasks;-- <script>alert(1)</script> \${1} {{2}}`;
      expect((await create({ title, description: title })).json).toMatchObject({ title, description: title });
    });

    test('asks who is calling before it looks at the body', async () => {
      const headers = { 'content-type': 'application/json' };
      for (const body of ['{', '{}', '{"title":"T"}']) {
        refused(await client().call('POST', '/tasks', { body, headers }), 401, 'MISSING_AUTH_HEADER');
      }
    });

    const send = async ({ body, type }: { body: Bun.BodyInit; type: string }) =>
      client().call('POST', '/tasks', { token: await someone(), body, headers: { 'content-type': type } });
  });

  describe('GET /tasks', () => {
    test('is a bare array of all the user’s tasks and nobody else’s, newest first', async () => {
      const [me, other] = [await client().signUp(), await client().another()];
      const list = () => client().call('GET', '/tasks', { token: me.token });
      expect((await list()).text).toBe('[]');
      const created: Json[] = [];
      for (let i = 0; i < 120; i++) created.unshift(await client().createTask(me.token, { title: `task ${i}` }));
      await client().createTask(other.token, { title: 'not mine' });
      const answer = await list();
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).toEqual(created);
    });

    test('is not cut, however long it is', async () => {
      const { token } = await client().signUp();
      const created: Json[] = [];
      for (let i = 0; i < 220; i++)
        created.unshift(await client().createTask(token, { title: `task ${i}`, description: '😀'.repeat(5000) }));
      const answer = await client().call('GET', '/tasks', { token });
      expect(JSON.parse(answer.text)).toEqual(created);
      expect(answer.headers.get('content-type')).toStartWith('application/json');
    });

    test('needs a login', async () => {
      refused(await client().call('GET', '/tasks'), 401, 'MISSING_AUTH_HEADER');
    });
  });

  describe('PUT /tasks/{id}', () => {
    const put = async (id: unknown, json: unknown, token?: string) =>
      client().call('PUT', `/tasks/${String(id)}`, { token: token ?? (await someone()), json });

    test('changes what is given and keeps the rest', async () => {
      const task = await client().createTask(await someone(), { title: 'Old', description: 'kept' });
      const renamed = await put(task.id, { title: ' New ' });
      expect(renamed.status).toBe(200);
      expect(renamed.json).toEqual({ ...task, title: 'New', updated_at: expect.stringMatching(TIME) });
      expect(String(renamed.json.updated_at) >= String(task.updated_at)).toBe(true);
      const done = await put(task.id, { completed: true });
      expect(done.json).toEqual({ ...renamed.json, completed: true, updated_at: expect.stringMatching(TIME) });
      const open = await put(task.id, { completed: false, description: null });
      expect(open.json).toMatchObject({ title: 'New', completed: false, description: null });
    });

    test('changes nothing for an empty object or unknown fields', async () => {
      const task = await client().createTask(await someone(), { title: 'Same' });
      for (const json of [{}, { zzz: 1, user_id: NOBODYS, id: NOBODYS }]) {
        const answer = await put(task.id, json);
        expect(answer.status).toBe(200);
        expect(answer.json).toEqual({ ...task, updated_at: expect.stringMatching(TIME) });
      }
    });

    test.each([
      ['an empty title', { title: '' }],
      ['a blank title', { title: '  ' }],
      ['a title that shows nothing', { title: '\u200b\u2060' }],
      ['a title that is null', { title: null }],
      ['a title of 256 characters', { title: 'x'.repeat(256) }],
      ['a description of 5001 characters', { description: 'x'.repeat(5001) }],
      ['completed as text', { completed: 'true' }],
      ['completed as a number', { completed: 1 }],
      ['completed as null', { completed: null }],
      ['a title with U+0000', { title: '\0' }],
      ['a list', []],
      ['null', null],
    ])('refuses %s', async (_name, json) => {
      const task = await client().createTask(await someone(), { title: 'T' });
      refused(await put(task.id, json), 400, 'TASK_UPDATE_ERROR');
    });

    test('is 403 for another user’s task, 404 for an unknown and a malformed id', async () => {
      const task = await client().createTask(await someone(), { title: 'Mine' });
      refused(await put(task.id, { title: 'Yours' }, await another()), 403);
      refused(await put(NOBODYS, { title: 'T' }), 404);
      for (const id of ['1', 'not-a-uuid', "'; drop table tasks", '%00', '..%2f..', '%zz'])
        refused(await put(encodeURIComponent(id), { title: 'T' }), 404);
      const list = await client().call('GET', '/tasks', { token: await someone() });
      expect(JSON.parse(list.text)).toContainEqual(task);
    });

    test('needs a login', async () => {
      refused(await client().call('PUT', `/tasks/${NOBODYS}`, { json: { title: 'T' } }), 401, 'MISSING_AUTH_HEADER');
    });
  });

  describe('DELETE /tasks/{id}', () => {
    const remove = (id: unknown, token: string) => client().call('DELETE', `/tasks/${String(id)}`, { token });

    test('answers 204 without a body, and 404 the second time', async () => {
      const token = await someone();
      const task = await client().createTask(token, { title: 'Away' });
      const answer = await remove(task.id, token);
      expect({ status: answer.status, text: answer.text }).toEqual({ status: 204, text: '' });
      refused(await remove(task.id, token), 404);
      expect((await client().call('GET', '/tasks', { token })).text).not.toContain(String(task.id));
    });

    test('is 403 for another user’s task, 404 for a malformed id', async () => {
      const task = await client().createTask(await someone(), { title: 'Mine' });
      refused(await remove(task.id, await another()), 403);
      refused(await remove('not-a-uuid', await another()), 404);
      expect((await remove(task.id, await someone())).status).toBe(204);
    });

    test('needs a login', async () => {
      refused(await client().call('DELETE', `/tasks/${NOBODYS}`), 401, 'MISSING_AUTH_HEADER');
    });
  });

  describe('X-Correlation-Id', () => {
    const given = '11111111-2222-7333-8444-555555555555';

    test('is the caller’s when it is a UUID, on answers and on errors', async () => {
      const headers = { 'x-correlation-id': given };
      const answers = [
        await client().call('GET', '/health', { headers }),
        await client().call('GET', '/tasks', { headers }),
        await client().call('GET', '/nothing-here', { headers }),
        await client().call('POST', '/auth/login', { headers, json: {} }),
        await client().call('GET', '/tasks', { headers, token: await someone() }),
      ];
      expect(answers.map((answer) => answer.headers.get('x-correlation-id'))).toEqual(Array(5).fill(given));
    });

    test('is a new one otherwise', async () => {
      const answer = await client().call('GET', '/health', { headers: { 'x-correlation-id': 'not a uuid' } });
      expect(answer.headers.get('x-correlation-id')).toMatch(UUID);
    });

    test('is on an unknown path too, in the error form', async () => {
      refused(await client().call('GET', '/nothing-here'), 404);
    });
  });
}
