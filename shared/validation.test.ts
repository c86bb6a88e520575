import { Type } from '@sinclair/typebox';
import { describe, expect, test } from 'bun:test';
import { t } from 'elysia';
import { MAX_BODY_BYTES } from './intake.ts';
import { edge } from './edge.ts';
import { createLog } from './log.ts';

const orNull = t.Union([t.String(), t.Null()]);
const level = t.Union([t.Literal('all'), t.Literal('critical'), t.Literal('none')]);
const app = edge({
  log: createLog('test', { write: () => {} }),
  admit: async () => ({ maxBytes: MAX_BODY_BYTES, by: 'ada' }),
})
  .get('/list', () => ({}), {
    query: t.Object({
      unread: t.Optional(t.Boolean()),
      after: t.Optional(t.Integer({ minimum: 0 })),
      limit: t.Optional(t.Integer({ minimum: 1, maximum: 200 })),
      client: t.Optional(t.String({ maxLength: 5 })),
      type: t.Optional(t.String({ pattern: '^[a-z]+$' })),
      user_id: t.Optional(t.String({ format: 'uuid', maxLength: 36 })),
    }),
  })
  .post('/things', () => ({}), {
    body: t.Object({
      name: t.String({ minLength: 1, maxLength: 9 }),
      levels: t.Array(level, { minItems: 1, maxItems: 3, uniqueItems: true }),
      days: t.Optional(t.Union([Type.Integer({ minimum: 1 }), t.Null()])),
      done: t.Optional(t.Boolean()),
      list: t.Optional(t.Array(t.Object({ title: orNull }))),
    }),
  })
  .post('/perhaps', () => ({}), { body: t.MaybeEmpty(t.Object({ token: t.Optional(orNull) })) });

async function messageOf(path: string, json?: unknown): Promise<string> {
  const body = json === undefined ? null : JSON.stringify(json);
  const headers = { 'content-type': 'application/json' };
  const request = new Request(`http://localhost${path}`, { method: body === null ? 'GET' : 'POST', headers, body });
  const answer = (await (await app.handle(request)).json()) as { message?: string };
  return answer.message ?? 'taken';
}

describe('a parameter of the query', () => {
  test.each([
    ['unread=1', 'unread: expected true or false'],
    ['unread=', 'unread: expected true or false'],
    ['after=1.5', 'after: expected a whole number (at least 0)'],
    ['after=x', 'after: expected a whole number (at least 0)'],
    ['after=-1', 'after: expected a whole number (at least 0)'],
    ['limit=1e99', 'limit: expected a whole number (1 to 200)'],
    ['after=0&limit=0', 'limit: expected a whole number (1 to 200)'],
    ['limit=5&limit=0', 'limit: expected a whole number (1 to 200)'],
    ['client=private', 'client: expected text (at most 5 characters)'],
    ['type=Private', 'type: expected text that matches ^[a-z]+$'],
    ['user_id=private', 'user_id: expected a UUID'],
  ])('%s: "%s"', async (query, message) => expect(await messageOf(`/list?${query}`)).toBe(message));
});

describe('a field of the body', () => {
  const name = 'n';
  const levels = ['all'];
  test.each<[object, string]>([
    [{ levels }, 'name: missing, expected text (1 to 9 characters)'],
    [{ name: 5, levels }, 'name: expected text (1 to 9 characters)'],
    [{ name: 'too private', levels }, 'name: expected text (1 to 9 characters)'],
    [{ name, levels: ['private'] }, 'levels.0: expected all, critical or none'],
    [{ name, levels: [] }, 'levels: expected a list without repetition (1 to 3 entries), each all, critical or none'],
    [
      { name, levels: ['all', 'all'] },
      'levels: expected a list without repetition (1 to 3 entries), each all, critical or none',
    ],
    [{ name, levels, days: 0 }, 'days: expected a whole number (at least 1) or null'],
    [{ name, levels, done: 'private' }, 'done: expected true or false'],
    [{ name, levels, list: [{ title: 'ok' }, { title: ['private'] }] }, 'list.1.title: expected text or null'],
  ])('%j: "%s"', async (body, message) => expect(await messageOf('/things', body)).toBe(message));

  test('is named where the body may be empty', async () => {
    expect(await messageOf('/perhaps', { token: 5 })).toBe('token: expected text or null');
    expect(await messageOf('/perhaps', {})).toBe('taken');
  });
});
