import { afterAll, describe, expect, test } from 'bun:test';
import { SignJWT, UnsecuredJWT } from 'jose';
import { createDatabase } from '../test/support/database.ts';
import { createAuthenticator, keyId, permit, type Principal, sessionCookie, sha256 } from './auth.ts';
import { connect } from './db.ts';
import { ApiError } from './errors.ts';
import { sessionFunctions } from './sessions.ts';

const database = await createDatabase();
const sql = connect(database.url('audit-logger'), { name: 'test', max: 2 });
const lookup = sessionFunctions(sql);
afterAll(async () => {
  await sql.end();
  await database.drop();
});

const [SECRET, PREVIOUS, STRANGER] = ['current', 'previous', 'stranger'].map((name) => name.padEnd(32, '.')) as [
  string,
  string,
  string,
];
const SERVICE_TOKEN = 'service'.padEnd(32, '.');
const clock = { now: Date.now() };
const authenticator = createAuthenticator({
  lookup,
  secrets: [SECRET, PREVIOUS, ''],
  serviceTokens: [SERVICE_TOKEN, ''],
  appTokens: ['app-token', 'previous-token', ''],
  publicUrl: 'https://tasks.example',
  now: () => clock.now,
});

/** A user with a session, made by the administrator: this service only reads both. */
async function createSession({ token }: { token?: string } = {}) {
  const [userId, sid] = [crypto.randomUUID(), crypto.randomUUID()];
  await database.sql`insert into users (id, email, password_hash) values (${userId}, ${`${userId}@example.com`}, 'x')`;
  await database.sql`
    insert into sessions (id, user_id, kind, name, scopes, token_hash)
    values (${sid}, ${userId}, ${token ? 'token' : 'login'}, ${token ? 'script' : null},
      ${token ? ['tasks:read'] : null}, ${token ? sha256(token) : null})`;
  return { userId, sid };
}

type Claims = Record<string, unknown>;
const inAnHour = () => Math.floor(clock.now / 1000) + 3600;
function sign(claims: Claims, { secret = SECRET, alg = 'HS256', kid = keyId(secret) } = {}): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg, kid })
    .sign(new TextEncoder().encode(secret.padEnd(64, alg === 'HS256' ? '' : '.')));
}
const accessToken = async ({ userId, sid }: { userId: string; sid: string }) =>
  sign({ sub: userId, sid, exp: inAnHour() });

const request = (headers: Record<string, string>, method = 'GET') =>
  new Request('http://localhost/x', { method, headers });
const bearer = (token: string) => authenticator.authenticate(request({ authorization: `Bearer ${token}` }));
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'let in',
    (error: unknown) => (error instanceof ApiError ? `${error.status} ${error.code}` : String(error)),
  );

describe('an access token', () => {
  test('gives the person as the database knows them', async () => {
    const session = await createSession();
    await database.sql`update users set role = 'admin' where id = ${session.userId}`;
    expect(await bearer(await accessToken(session))).toEqual({
      type: 'user',
      userId: session.userId,
      email: `${session.userId}@example.com`,
      role: 'admin',
      sid: session.sid,
      exp: new Date(inAnHour() * 1000),
      name: null,
      scopes: null,
    });
  });

  test('of either secret is good, with and without kid', async () => {
    const { userId: sub, sid } = await createSession();
    const claims = { sub, sid, exp: inAnHour() };
    for (const token of [
      await sign(claims),
      await sign(claims, { secret: PREVIOUS }),
      await sign(claims, { kid: 'unknown' }),
    ]) {
      expect((await bearer(token)).userId).toBe(sub);
    }
  });

  test('is refused with the code of its fault', async () => {
    const { userId: sub, sid } = await createSession();
    const exp = inAnHour();
    const claims = { sub, sid, exp };
    const cases: [string, string | Promise<string>][] = [
      ['401 INVALID_TOKEN', 'abc'],
      ['401 INVALID_TOKEN', new UnsecuredJWT(claims).encode()],
      ['401 INVALID_TOKEN', sign(claims, { alg: 'HS512' })],
      ['401 INVALID_SIGNATURE', sign(claims, { secret: STRANGER })],
      ['401 INVALID_SIGNATURE', sign(claims, { secret: STRANGER, kid: keyId(SECRET) })],
      ['401 TOKEN_EXPIRED', sign({ ...claims, exp: Math.floor(clock.now / 1000) - 1 })],
      ['401 INVALID_TOKEN_CLAIMS', sign({ sub, sid })],
      ['401 INVALID_TOKEN_CLAIMS', sign({ sid, exp })],
      ['401 INVALID_TOKEN_CLAIMS', sign({ sub, exp })],
      ['401 INVALID_TOKEN_CLAIMS', sign({ ...claims, exp: 'tomorrow' })],
      ['401 INVALID_TOKEN_CLAIMS', sign({ ...claims, sub: 'nobody' })],
      ['401 INVALID_TOKEN_CLAIMS', sign({ ...claims, sid: 5 })],
      ['401 INVALID_TOKEN', sign({ ...claims, sub: crypto.randomUUID() })],
      ['401 INVALID_TOKEN', sign({ ...claims, sid: crypto.randomUUID() })],
    ];
    const got = await Promise.all(cases.map(async ([, token]) => refusal(bearer(await token))));
    expect(got).toEqual(cases.map(([expected]) => expected));
  });

  test('is refused when its time is over, and with another signature, though it was good before', async () => {
    const session = await createSession();
    const token = await accessToken(session);
    for (let time = 1; time <= 2; time++) expect(await refusal(bearer(token))).toBe('let in');
    const [head, claims] = token.split('.');
    const [, , another] = (await sign({ sub: session.userId })).split('.');
    expect(await refusal(bearer(`${head}.${claims}.${another}`))).toBe('401 INVALID_SIGNATURE');
    const before = clock.now;
    clock.now += 3600 * 1000;
    expect(await refusal(bearer(token))).toBe('401 TOKEN_EXPIRED');
    clock.now = before;
  });

  test('is refused within a second of revocation, disabling or deletion', async () => {
    const ends = [
      (sid: string) => database.sql`update sessions set revoked_at = now() where id = ${sid}`,
      (sid: string) =>
        database.sql`update users set disabled_at = now() where id = (select user_id from sessions where id = ${sid})`,
      (sid: string) => database.sql`delete from users where id = (select user_id from sessions where id = ${sid})`,
    ];
    for (const end of ends) {
      const session = await createSession();
      const token = await accessToken(session);
      await bearer(token);
      await end(session.sid);
      expect(await refusal(bearer(token))).toBe('let in');
      clock.now += 1000;
      expect(await refusal(bearer(token))).toBe('401 INVALID_TOKEN');
    }
  });

  test('is refused at once by who was told to forget', async () => {
    const session = await createSession();
    const token = await accessToken(session);
    await bearer(token);
    await database.sql`update sessions set revoked_at = now() where id = ${session.sid}`;
    authenticator.forget();
    expect(await refusal(bearer(token))).toBe('401 INVALID_TOKEN');
  });
});

describe('the Authorization header', () => {
  test.each([
    ['', '401 INVALID_AUTH_FORMAT'],
    ['Basic abc', '401 INVALID_AUTH_FORMAT'],
    ['Bearer', '401 INVALID_AUTH_FORMAT'],
    ['Bearer a b', '401 INVALID_AUTH_FORMAT'],
    ['Bearer\tabc', '401 INVALID_AUTH_FORMAT'],
    ['Bearer abc, Basic abc', '401 INVALID_AUTH_FORMAT'],
    ['Bearerabc', '401 INVALID_AUTH_FORMAT'],
    ['bearer abc', '401 INVALID_TOKEN'],
    ['Bearer   abc', '401 INVALID_TOKEN'],
  ])('"%s" is %s', async (authorization, expected) => {
    expect(await refusal(authenticator.authenticate(request({ authorization })))).toBe(expected);
  });

  test('is missed when there is no cookie either', async () => {
    expect(await refusal(authenticator.authenticate(request({})))).toBe('401 MISSING_AUTH_HEADER');
    expect(await refusal(authenticator.authenticate(request({ cookie: 'other=%' })))).toBe('401 MISSING_AUTH_HEADER');
  });
});

describe('the session cookie', () => {
  const holder = async () => `__Host-taskflow_session=${await accessToken(await createSession())}`;

  // An EventSource cannot send headers of its own, and a browser adds what the proxy in front has asked it for.
  test.each(['Basic Z2F0ZTpwYXNz', 'Digest username="gate"', 'Negotiate', ''])(
    'counts beside what is not ours: Authorization: %s',
    async (authorization) => {
      const cookie = await holder();
      const call = (method: string) => refusal(authenticator.authenticate(request({ cookie, authorization }, method)));
      expect(await call('GET')).toBe('let in');
      expect(await call('POST')).toBe('403 ORIGIN_MISMATCH');
    },
  );

  test.each([
    ['Bearer', '401 INVALID_AUTH_FORMAT'],
    ['bearer a b', '401 INVALID_AUTH_FORMAT'],
    ['Bearer\tabc', '401 INVALID_AUTH_FORMAT'],
    ['Bearer abc', '401 INVALID_TOKEN'],
  ])('does not stand in for a token that is not good: %s', async (authorization, expected) => {
    const cookie = await holder();
    expect(await refusal(authenticator.authenticate(request({ cookie, authorization })))).toBe(expected);
  });

  test('is bound to this host by its name where the public URL is https, and no other name counts', async () => {
    const token = await accessToken(await createSession());
    const plain = createAuthenticator({ lookup, secrets: [SECRET], publicUrl: 'http://localhost:8080' });
    const outcomes = [];
    for (const name of ['taskflow_session', '__Host-taskflow_session']) {
      const byCookie = request({ cookie: `${name}=${token}` });
      for (const at of [authenticator, plain]) outcomes.push(await refusal(at.authenticate(byCookie)));
    }
    const [refused, good] = ['401 MISSING_AUTH_HEADER', 'let in'];
    expect(outcomes).toEqual([refused, good, good, refused]);
    expect(['https://tasks.example', 'http://localhost:8080', ''].map(sessionCookie)).toEqual([
      '__Host-taskflow_session',
      'taskflow_session',
      'taskflow_session',
    ]);
  });

  test('counts as missing when there are two: nobody knows which of them is ours', async () => {
    const [mine, planted] = [await accessToken(await createSession()), await accessToken(await createSession())];
    const plain = createAuthenticator({ lookup, secrets: [SECRET] });
    const cookie = `taskflow_session=${planted}; theme=dark; taskflow_session=${mine}`;
    expect(await refusal(plain.authenticate(request({ cookie })))).toBe('401 MISSING_AUTH_HEADER');
  });

  test('reads from anywhere, and changes only from our own origin', async () => {
    const cookie = `__Host-taskflow_session=${await accessToken(await createSession())}`;
    const call = (method: string, more: Record<string, string>) =>
      refusal(authenticator.authenticate(request({ cookie, host: 'inside:8000', ...more }, method)));
    expect(await call('GET', {})).toBe('let in');
    for (const origin of ['http://inside:8000', 'https://tasks.example'])
      expect(await call('POST', { origin })).toBe('let in');
    for (const more of [
      {},
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: 'http://tasks.example' },
      { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' },
      { origin: 'file:///page.html', host: '' },
    ]) {
      expect(await call('POST', more as Record<string, string>)).toBe('403 ORIGIN_MISMATCH');
    }
    // The same name without TLS is whoever stands between.
    for (const [origin, expected] of [
      ['https://tasks.example', 'let in'],
      ['http://tasks.example', '403 ORIGIN_MISMATCH'],
    ] as const) {
      expect(await call('POST', { host: 'tasks.example', origin })).toBe(expected);
    }
  });
});

describe('an API token', () => {
  test('gives its user, name and scopes, and is reported as used', async () => {
    const used: string[] = [];
    const watching = createAuthenticator({ lookup, secrets: [SECRET], sessionUsed: (sid) => used.push(sid) });
    const token = `tf_${crypto.randomUUID()}`;
    const { userId, sid } = await createSession({ token });
    for (let i = 0; i < 3; i++) {
      const principal = await watching.authenticate(request({ authorization: `Bearer ${token}` }));
      expect(principal).toMatchObject({ type: 'token', userId, name: 'script', scopes: ['tasks:read'], exp: null });
    }
    expect(used).toEqual([sid]);
  });

  test('that nobody has is refused, and its session takes no access token', async () => {
    expect(await refusal(bearer('tf_nobody'))).toBe('401 INVALID_TOKEN');
    const session = await createSession({ token: `tf_${crypto.randomUUID()}` });
    expect(await refusal(bearer(await accessToken(session)))).toBe('401 INVALID_TOKEN');
  });
});

describe('the service token', () => {
  test('works with the sidecar’s app token alone', async () => {
    const call = (more: Record<string, string>) =>
      authenticator.authenticate(request({ authorization: `Bearer ${SERVICE_TOKEN}`, ...more }));
    expect((await call({ 'dapr-api-token': 'app-token' })).type).toBe('service');
    expect((await call({ 'dapr-api-token': 'previous-token' })).type).toBe('service');
    expect(await refusal(call({ 'dapr-api-token': '' }))).toBe('401 INVALID_TOKEN');
    expect(await refusal(call({}))).toBe('401 INVALID_TOKEN');
    expect(await refusal(call({ 'dapr-api-token': 'wrong' }))).toBe('401 INVALID_TOKEN');
  });
});

test('without an app token the service token is honoured from nobody', async () => {
  const open = createAuthenticator({ lookup, secrets: [SECRET], serviceTokens: [SERVICE_TOKEN], appTokens: ['', ''] });
  for (const headers of [{}, { 'dapr-api-token': '' }]) {
    const call = open.authenticate(request({ authorization: `Bearer ${SERVICE_TOKEN}`, ...headers }));
    expect(await refusal(call)).toBe('401 INVALID_TOKEN');
  }
});

test('permit lets people do all, tokens what they were made for, services nothing', () => {
  const principal = (type: Principal['type'], scopes: Principal['scopes']): Principal => ({
    type,
    userId: '',
    email: '',
    role: null,
    sid: '',
    exp: null,
    name: null,
    scopes,
  });
  expect(() => permit(principal('user', null), 'audit:read')).not.toThrow();
  expect(() => permit(principal('token', ['tasks:read']), 'tasks:read')).not.toThrow();
  expect(() => permit(principal('token', ['tasks:read']), 'tasks:write')).toThrow('tasks:write');
  expect(() => permit(principal('service', null), 'tasks:read')).toThrow('tasks:read');
});
