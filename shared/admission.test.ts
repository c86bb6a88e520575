import { describe, expect, test } from 'bun:test';
import { Elysia } from 'elysia';
import { countedBody } from '../test/support/unread.ts';
import { admission } from './admission.ts';
import { API_TOKEN_PREFIX, authenticated, createAuthenticator } from './auth.ts';
import { edge } from './edge.ts';
import { createLog } from './log.ts';
import type { LiveSession } from './sessions.ts';

const TOKEN = `${API_TOKEN_PREFIX}known`;
const session: LiveSession = {
  id: crypto.randomUUID(),
  user_id: crypto.randomUUID(),
  kind: 'token',
  name: 'script',
  scopes: [],
  expires_at: null,
  email: 'a@example.com',
  role: null,
};
let looks = 0;
const clock = { now: 0 };
const authenticator = createAuthenticator({
  secrets: ['secret'.padEnd(32, '.')],
  lookup: {
    byId: async () => undefined,
    byTokenHash: async () => ((looks += 1), session),
  },
  now: () => clock.now,
});

const log = createLog('test', { write: () => {} });
const app = edge({ log, admit: admission({ authenticator, appTokens: ['app-token'], open: ['/login'] }) })
  .post('/login', ({ body }) => body as object)
  .post('/events/created', ({ body }) => body as object, { parse: 'json' })
  .use(new Elysia().use(authenticated(authenticator)).post('/tasks', ({ body, principal }) => [body, principal.userId]))
  .post('/forgotten', ({ body }) => body as object);

async function post(path: string, headers: Record<string, string> = {}, body = countedBody()) {
  const request = new Request(`http://localhost${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body.stream,
  });
  const answer = await app.handle(request);
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown>, pulls: body.pulls };
}

describe('a body', () => {
  test.each([
    ['/tasks', 'MISSING_AUTH_HEADER'],
    // A route that forgets to ask who is calling reads nobody's.
    ['/forgotten', 'MISSING_AUTH_HEADER'],
    ['/events/created', 'INVALID_APP_TOKEN'],
  ])('of a stranger is not asked for on %s', async (path, code) => {
    expect(await post(path)).toMatchObject({ status: 401, json: { code }, pulls: 0 });
    expect(await post(path, { authorization: 'Bearer garbage' })).toMatchObject({ status: 401, pulls: 0 });
  });

  test('of who is logged in is read, and who it is was asked once', async () => {
    looks = 0;
    clock.now += 60_000; // nothing is remembered of what came before
    const answer = await post('/tasks', { authorization: `Bearer ${TOKEN}` });
    expect(answer).toMatchObject({ status: 200, json: [{ title: 'x' }, session.user_id] });
    expect(looks).toBe(1);
  });

  test('of the sidecar is read on the routes of the sidecar alone', async () => {
    const headers = { 'dapr-api-token': 'app-token' };
    expect(await post('/events/created', headers)).toMatchObject({ status: 200, json: { title: 'x' } });
    expect(await post('/tasks', headers)).toMatchObject({ status: 401, pulls: 0 });
  });

  test('where nobody need be logged in is read, up to 16 KiB of it', async () => {
    const body = (length: number) => JSON.stringify({ title: 'x'.repeat(length - '{"title":""}'.length) });
    for (const path of ['/login', '/login/']) {
      expect(await post(path, {}, countedBody(body(16_384)))).toMatchObject({ status: 200 });
      expect(await post(path, {}, countedBody(body(16_385)))).toMatchObject({
        status: 413,
        json: { code: 'PAYLOAD_TOO_LARGE', message: 'The body is longer than 16 KiB.' },
      });
      const said = await post(path, { 'content-length': '16385' });
      expect(said).toMatchObject({ status: 413, pulls: 0 });
    }
  });
});
