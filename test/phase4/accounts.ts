import { describe, expect, test } from 'bun:test';
import { type Answer, type Client, cookieIn, type Json, PASSWORD, TIME, UUID } from './fixtures/client.ts';

const SIX_CODES = [
  'MISSING_AUTH_HEADER',
  'INVALID_AUTH_FORMAT',
  'TOKEN_EXPIRED',
  'INVALID_SIGNATURE',
  'INVALID_TOKEN',
  'INVALID_TOKEN_CLAIMS',
];

/** The rows of the contract about accounts. */
export function accounts(client: () => Client): void {
  const post = (path: string, json: unknown) => client().call('POST', path, { json });

  describe('POST /auth/signup', () => {
    test('answers 201 with the user and a token that works', async () => {
      const { answer, user, token, email } = await client().signUp();
      expect(answer.json).toMatchObject({ token: expect.any(String), message: expect.any(String) });
      expect(user).toEqual({
        id: expect.stringMatching(UUID),
        email,
        created_at: expect.stringMatching(TIME),
      });
      expect((await client().call('GET', '/auth/me', { token })).json).toEqual(user);
    });

    test('ignores unknown fields', async () => {
      const email = `${crypto.randomUUID()}@example.com`;
      const unknown = { id: crypto.randomUUID(), role: 'admin', created_at: 'x', timezone: 'Europe/Berlin', zzz: [1] };
      const answer = await post('/auth/signup', { ...unknown, email, password: PASSWORD });
      expect(answer.status).toBe(201);
      expect(Object.keys(answer.json.user as Json).sort()).toEqual(['created_at', 'email', 'id']);
    });

    test('takes an email in any case as the same account', async () => {
      const email = `${crypto.randomUUID()}@example.com`;
      await client().signUp(email.toUpperCase());
      refused(await post('/auth/signup', { email, password: PASSWORD }), 400, 'SIGNUP_ERROR');
      expect((await post('/auth/login', { email, password: PASSWORD })).status).toBe(200);
    });

    test('takes an email in composed and decomposed letters as the same account', async () => {
      const email = `${crypto.randomUUID()}-café@exämple.com`;
      const { user } = await client().signUp(email.normalize('NFD'));
      expect(user.email).toBe(email);
      refused(await post('/auth/signup', { email, password: PASSWORD }), 400, 'SIGNUP_ERROR');
      for (const form of [email, email.normalize('NFD'), email.normalize('NFD').toUpperCase()])
        expect((await post('/auth/login', { email: form, password: PASSWORD })).status).toBe(200);
    });

    test.each([
      ['no email', { password: PASSWORD }],
      ['no password', { email: 'a@example.com' }],
      ['an email without @', { email: 'nobody', password: PASSWORD }],
      ['an email without a domain', { email: 'nobody@', password: PASSWORD }],
      ['an email with a blank', { email: 'no body@example.com', password: PASSWORD }],
      ['an email of 255 characters', { email: `${'x'.repeat(243)}@example.com`, password: PASSWORD }],
      ['an email that is a number', { email: 5, password: PASSWORD }],
      ['a password of 7 characters', { email: 'a@example.com', password: 'Abcde-1' }],
      ['a password without an upper-case letter', { email: 'a@example.com', password: 'sunny-day-42' }],
      ['a password without a digit', { email: 'a@example.com', password: 'Sunny-Day-Today' }],
      ['a password of 73 bytes', { email: 'a@example.com', password: `A1${'x'.repeat(71)}` }],
      ['a password of 37 characters and 73 bytes', { email: 'a@example.com', password: `A${'é'.repeat(35)}12` }],
      ['a list', []],
      ['nothing', null],
    ])('refuses %s', async (_name, json) => {
      refused(await post('/auth/signup', json), 400, 'SIGNUP_ERROR');
    });

    test('takes passwords of exactly 8 characters and exactly 72 bytes', async () => {
      for (const password of ['Abcdef-1', `A1${'x'.repeat(70)}`]) {
        const email = `${crypto.randomUUID()}@example.com`;
        expect((await post('/auth/signup', { email, password })).status).toBe(201);
        expect((await post('/auth/login', { email, password })).status).toBe(200);
      }
    });

    test('one of five simultaneous sign-ups with one email wins', async () => {
      const json = { email: `${crypto.randomUUID()}@example.com`, password: PASSWORD };
      const answers = await Promise.all(Array.from({ length: 5 }, () => post('/auth/signup', json)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 400, 400, 400, 400]);
      for (const answer of answers) if (answer.status === 400) refused(answer, 400, 'SIGNUP_ERROR');
    });
  });

  describe('POST /auth/login', () => {
    test('answers as sign-up does, with status 200', async () => {
      const { email, user } = await client().someone();
      const answer = await post('/auth/login', { email, password: PASSWORD });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ user, token: expect.any(String), message: expect.any(String) });
      expect((await client().call('GET', '/auth/me', { token: String(answer.json.token) })).status).toBe(200);
    });

    test('answers a wrong password and an unknown email alike', async () => {
      const { email } = await client().someone();
      const wrong = await post('/auth/login', { email, password: 'Rainy-Day-42' });
      const unknown = await post('/auth/login', { email: `${crypto.randomUUID()}@example.com`, password: PASSWORD });
      refused(wrong, 401, 'INVALID_CREDENTIALS');
      expect({ status: unknown.status, body: unknown.json }).toEqual({ status: wrong.status, body: wrong.json });
    });

    test('treats SQL as text', async () => {
      refused(await post('/auth/login', { email: "' or 1=1 --", password: "' or '1'='1" }), 401, 'INVALID_CREDENTIALS');
    });

    test('refuses an account after ten failures, until Retry-After', async () => {
      const { email } = await client().signUp();
      const fail = () => post('/auth/login', { email, password: 'Rainy-Day-42' });
      for (let failures = 0; failures < 10; failures++) refused(await fail(), 401, 'INVALID_CREDENTIALS');
      const refusal = await post('/auth/login', { email, password: PASSWORD });
      expect(refusal.status).toBe(429);
      expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0);
    });
  });

  describe('GET /auth/me', () => {
    test('refuses a missing header', async () => {
      refused(await client().call('GET', '/auth/me'), 401, 'MISSING_AUTH_HEADER');
    });

    test.each(['', 'Bearer', 'Basic dXNlcjpwYXNz', 'Token abc', 'Bearer a b'])(
      'refuses the header "%s"',
      async (authorization) => {
        const answer = await client().call('GET', '/auth/me', { headers: { authorization } });
        expect(answer.status).toBe(401);
        expect(['MISSING_AUTH_HEADER', 'INVALID_AUTH_FORMAT']).toContain(String(answer.json.code));
      },
    );

    test.each(['abc', 'a.b.c', '..', 'eyJhbGciOiJIUzI1NiJ9', `${'x'.repeat(5000)}`])(
      'refuses what is no token',
      async (token) => {
        refused(await client().call('GET', '/auth/me', { token }), 401, 'INVALID_TOKEN');
      },
    );

    test.each([
      ['alg none', (token: string) => unsigned({ alg: 'none', typ: 'JWT' }, payloadOf(token))],
      ['alg None', (token: string) => unsigned({ alg: 'None' }, payloadOf(token))],
      ['another algorithm', (token: string) => forged({ alg: 'RS256' }, payloadOf(token))],
      ['no signature', (token: string) => `${token.split('.').slice(0, 2).join('.')}.`],
      ['another signature', (token: string) => forged(headerOf(token), payloadOf(token))],
      ['another user', (token: string) => withPayload(token, { sub: crypto.randomUUID() })],
      ['a later expiry', (token: string) => withPayload(token, { exp: 4_102_444_800 })],
      ['the role of an admin', (token: string) => withPayload(token, { role: 'admin' })],
      ['no exp', (token: string) => withPayload(token, { exp: undefined })],
      ['no sub', (token: string) => withPayload(token, { sub: undefined })],
    ])('refuses a token with %s', async (_name, tamper) => {
      const { token } = await client().someone();
      const answer = await client().call('GET', '/auth/me', { token: tamper(token) });
      expect(answer.status).toBe(401);
      expect(SIX_CODES).toContain(String(answer.json.code));
    });

    test('names a wrong signature', async () => {
      const { token } = await client().someone();
      const answer = await client().call('GET', '/auth/me', { token: forged(headerOf(token), payloadOf(token)) });
      refused(answer, 401, 'INVALID_SIGNATURE');
    });
  });

  describe('POST /auth/logout', () => {
    test('ends this session and no other', async () => {
      const person = await client().someone();
      const [token, other] = [await client().logIn(person), await client().logIn(person)].map(({ json }) =>
        String(json.token),
      );
      const answer = await client().call('POST', '/auth/logout', { token });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ status: expect.any(String), message: expect.any(String) });
      expect((await client().call('GET', '/auth/me', { token })).status).toBe(401);
      expect((await client().call('GET', '/auth/me', { token: other })).status).toBe(200);
    });

    test('needs a login', async () => {
      refused(await client().call('POST', '/auth/logout'), 401, 'MISSING_AUTH_HEADER');
    });
  });

  describe('POST /auth/refresh', () => {
    const refresh = (token: unknown) => post('/auth/refresh', { refresh_token: token });
    const login = async () => client().logIn(await client().someone());

    test('exchanges the token of the body', async () => {
      const { user } = await client().someone();
      const answer = await refresh((await login()).json.refresh_token);
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ token: expect.any(String), message: expect.any(String) });
      expect((await client().call('GET', '/auth/me', { token: String(answer.json.token) })).json).toEqual(user);
    });

    test('exchanges the cookie, which scripts and other sites cannot use', async () => {
      const cookie = cookieIn(await login(), 'refresh_token');
      expect(cookie.attributes).toEqual(expect.arrayContaining(['httponly', 'samesite=strict', 'path=/api/v1/auth']));
      const headers = { cookie: `refresh_token=${cookie.value}`, origin: new URL(client().url).origin };
      const answer = await client().call('POST', '/auth/refresh', { headers });
      expect(answer.status).toBe(200);
      expect(cookieIn(answer, 'refresh_token').value).not.toBe(cookie.value);
    });

    test('gives a new token each time, which works in its turn', async () => {
      const seen = [(await login()).json.refresh_token];
      for (let turn = 0; turn < 3; turn++) seen.push((await refresh(seen.at(-1))).json.refresh_token);
      expect(new Set(seen).size).toBe(4);
    });

    test('serves two tabs that refresh at once', async () => {
      const { refresh_token } = (await login()).json;
      const answers = await Promise.all([refresh(refresh_token), refresh(refresh_token)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers[0]?.json.refresh_token).not.toBe(answers[1]?.json.refresh_token);
    });

    test('names a missing and an unknown token', async () => {
      refused(await client().call('POST', '/auth/refresh'), 401, 'NO_REFRESH_TOKEN');
      refused(await post('/auth/refresh', {}), 401, 'NO_REFRESH_TOKEN');
      refused(await refresh('unknown'), 401, 'INVALID_REFRESH_TOKEN');
    });

    test('takes no token of a session that was logged out', async () => {
      const { token, refresh_token } = (await login()).json;
      await client().call('POST', '/auth/logout', { token: String(token) });
      refused(await refresh(refresh_token), 401, 'INVALID_REFRESH_TOKEN');
    });

    test('takes no access token for a refresh token', async () => {
      const { token } = await client().someone();
      refused(await refresh(token), 401, 'INVALID_REFRESH_TOKEN');
    });
  });
}

/** The error form, with this status and code. */
export function refused(answer: Answer, status: number, code?: string): void {
  expect({ status: answer.status, code: answer.json.code }).toEqual({ status, code: code ?? answer.json.code });
  expect(answer.json).toEqual({ error: expect.any(String), code: expect.any(String), message: expect.any(String) });
  expect(answer.headers.get('x-correlation-id')).toMatch(UUID);
}

const encode = (value: Json | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json;
const headerOf = (token: string) => decode(token.split('.')[0]);
const payloadOf = (token: string) => decode(token.split('.')[1]);
const unsigned = (header: Json, payload: Json) => `${encode(header)}.${encode(payload)}.`;
const forged = (header: Json, payload: Json) => `${encode(header)}.${encode(payload)}.${encode('x'.repeat(32))}`;

/** The same signature under other claims. */
function withPayload(token: string, changes: Json): string {
  const [header, payload, signature] = token.split('.');
  return `${header}.${encode({ ...decode(payload), ...changes })}.${signature}`;
}
