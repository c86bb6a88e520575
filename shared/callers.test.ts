import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { createDatabase } from '../test/support/database.ts';
import { logIn, openSession } from '../test/support/login.ts';
import { eventually } from '../test/support/wait.ts';
import { admission } from './admission.ts';
import { authenticated, createAuthenticator, type Principal, sha256 } from './auth.ts';
import { type Caller, createCallers } from './callers.ts';
import { connect } from './db.ts';
import { edge } from './edge.ts';
import { createLog } from './log.ts';
import { type SessionLookup, sessionFunctions } from './sessions.ts';

const database = await createDatabase();
const sql = connect(database.url('audit-logger'), { name: 'test', max: 2 });
const log = createLog('test', { write: () => {} });
const clock = { now: Date.now() };
let looks = 0;
let counted = 0;
let app: { stop(): unknown; port: number };

/** What the database is asked, and how often. Remembers nothing: the cache of a second is the authenticator's. */
const lookup: SessionLookup = {
  byId: (sid) => sessionFunctions(sql).byId(sid),
  byTokenHash(hash) {
    looks += 1;
    return sessionFunctions(sql).byTokenHash(hash);
  },
};

beforeEach(async () => {
  await app?.stop();
  looks = 0;
  const callers = createCallers(
    {
      REQUESTS_PER_SECOND: 2,
      REQUESTS_BURST: 5,
      REQUESTS_AT_ONCE: 8,
      DATABASE_POOL: 16,
      ADDRESS_REFUSALS: 3,
      TRUSTED_PROXIES: '127.0.0.1',
    },
    { now: () => clock.now },
  );
  const watched = {
    ...callers,
    countRequest(caller: Caller) {
      callers.countRequest(caller);
      counted += 1;
    },
  };
  const authenticator = createAuthenticator({ lookup, secrets: [], callers: watched, now: () => clock.now });
  const routes = edge({ log, admit: admission({ authenticator }) })
    .use(authenticated(authenticator))
    .get('/who', ({ principal }) => principal.userId)
    .post('/who', ({ principal }) => principal.userId)
    .listen({ hostname: '127.0.0.1', port: 0 });
  app = { stop: () => routes.stop(true), port: routes.server?.port ?? 0 };
});
afterAll(async () => {
  await app.stop();
  await sql.end();
  await database.drop();
});

/** A user with so many API tokens. */
async function userWith(count: number): Promise<string[]> {
  const { id } = await logIn(database.sql);
  const sessions = Array.from({ length: count }, () => openSession(database.sql, id, { scopes: ['tasks:read'] }));
  return (await Promise.all(sessions)).map(({ token }) => token);
}

const ask = (token: string, { from = '192.0.2.1', ...init }: RequestInit & { from?: string } = {}) =>
  fetch(`http://127.0.0.1:${app.port}/who`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': from, 'content-type': 'application/json' },
  });
const statuses = async (answers: Promise<Response>[]) => (await Promise.all(answers)).map(({ status }) => status);
const unknown = () => `tf_${crypto.randomUUID()}`;

describe('requests of one user', () => {
  test('beyond a burst are refused until they are a few again, with all tokens together', async () => {
    const [one = '', two = ''] = await userWith(2);
    const [other = ''] = await userWith(1);
    expect(await statuses([one, two, one, two, one].map((token) => ask(token)))).toEqual(Array(5).fill(200));
    const refused = await ask(two);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({ code: 'RATE_LIMITED' });
    expect((await ask(other)).status).toBe(200);
    clock.now += 1000;
    expect(await statuses([one, one, one].map((token) => ask(token)))).toEqual([200, 200, 429]);
  });

  test('count once, also with a body, before which the caller is asked for', async () => {
    const [token = ''] = await userWith(1);
    for (let i = 0; i < 5; i++) expect((await ask(token, { method: 'POST', body: '{}' })).status).toBe(200);
    expect((await ask(token, { method: 'POST', body: '{}' })).status).toBe(429);
  });

  /** A request of which the last byte is withheld until `send`. */
  async function slowly(token: string) {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    void writer.write(Buffer.from('{'));
    const [before, answer] = [counted, ask(token, { method: 'POST', body: readable })];
    await eventually(async () => counted > before);
    const send = () => writer.write(Buffer.from('}')).then(() => writer.close());
    return { answer, send };
  }

  test('are of nobody when the session ended while their body was coming', async () => {
    const [token = ''] = await userWith(1);
    const { answer, send } = await slowly(token);
    await database.sql`delete from sessions where token_hash = ${sha256(token)}`;
    clock.now += 1000;
    await send();
    expect((await answer).status).toBe(401);
  });

  test('count once, however long their body was coming', async () => {
    const [token = ''] = await userWith(1);
    const { answer, send } = await slowly(token);
    clock.now += 1000; // makes up for the first
    await send();
    expect((await answer).status).toBe(200);
    expect(await statuses(Array.from({ length: 5 }, () => ask(token)))).toEqual(Array(5).fill(200));
  });

  test('of a service of ours are not counted', () => {
    const settings = {
      REQUESTS_PER_SECOND: 1,
      REQUESTS_BURST: 1,
      REQUESTS_AT_ONCE: 1,
      DATABASE_POOL: 16,
      ADDRESS_REFUSALS: 1,
      TRUSTED_PROXIES: '',
    };
    const { countRequest } = createCallers(settings);
    for (let i = 0; i < 9; i++) countRequest({ type: 'service', userId: '' } as Principal);
  });
});

describe('API tokens that are none', () => {
  test('are looked up so often for an address and no more, however many come at once', async () => {
    const found = await statuses(Array.from({ length: 9 }, () => ask(unknown())));
    expect(found.toSorted()).toEqual([401, 401, 401, ...Array(6).fill(429)]);
    expect(looks).toBe(3);
    const refused = await ask(unknown());
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect((await ask(unknown(), { from: '192.0.2.2' })).status).toBe(401);
    clock.now += 60_000;
    expect((await ask(unknown())).status).toBe(401);
  });

  test('count for the whole network of an IPv6 address', async () => {
    const from = (i: number) => `2001:db8::${i}`;
    const found = await statuses([1, 2, 3, 4].map((i) => ask(unknown(), { from: from(i) })));
    expect(found.toSorted()).toEqual([401, 401, 401, 429]);
  });

  test('do not keep out who shared their address and was let in before', async () => {
    const [old = '', fresh = ''] = await userWith(2);
    expect((await ask(old)).status).toBe(200);
    for (let i = 0; i < 4; i++) await ask(unknown());
    clock.now += 2000; // no longer remembered by the cache of a second
    expect(await statuses([ask(old), ask(fresh)])).toEqual([200, 429]);
    await database.sql`update sessions set revoked_at = now() where token_hash = ${sha256(old)}`;
    clock.now += 2000;
    expect(await statuses([ask(old)])).toEqual([401]);
    expect(await statuses([ask(old)])).toEqual([401]); // remembered for a second, as what is found is
    clock.now += 2000;
    expect(await statuses([ask(old)])).toEqual([429]);
  });

  test('are not counted while the database does not answer, nor those that are good', async () => {
    for (const token of await userWith(4)) expect((await ask(token)).status).toBe(200);
    const away = connect('postgres://nobody@127.0.0.1:1/nothing', { name: 'test', max: 1 });
    const { lookUp } = createCallers({
      ...{
        REQUESTS_PER_SECOND: 1,
        REQUESTS_BURST: 1,
        REQUESTS_AT_ONCE: 1,
        DATABASE_POOL: 16,
        ADDRESS_REFUSALS: 1,
        TRUSTED_PROXIES: '127.0.0.1',
      },
    });
    const request = new Request('http://localhost', { headers: { 'x-forwarded-for': '192.0.2.1' } });
    for (let i = 0; i < 3; i++)
      await expect(
        lookUp(request, unknown(), () => sessionFunctions(away).byTokenHash(sha256('x'))),
      ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await away.end();
  });
});
