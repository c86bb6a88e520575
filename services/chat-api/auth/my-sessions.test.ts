import { afterAll, describe, expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { claimsOf, createHouse, PASSWORD, refusalOf } from '../fixture.ts';

const house = await createHouse();
afterAll(house.close);
const app = house.open();

const me = (token: string) => app.call('GET', '/api/v1/auth/me', { token });

describe('my sessions', () => {
  const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
  type Session = { id: string; device: string | null; address: string | null; last_used_at: string; current: boolean };
  const list = async (token: string, at = app) =>
    (await (await at.call('GET', '/api/v1/auth/sessions', { token })).json()) as Session[];
  const end = (token: string, id: string) => app.call('DELETE', `/api/v1/auth/sessions/${id}`, { token });
  const logIn = async (email: string, headers: Record<string, string>) => {
    const answer = await app.call('POST', '/api/v1/auth/login', { json: { email, password: PASSWORD }, headers });
    return { ...((await answer.json()) as { token: string }), cookies: answer.headers.getSetCookie() };
  };

  test('say on which device and from which network, newest first', async () => {
    const { email, token } = await app.signUp();
    const headers = { 'user-agent': FIREFOX, 'x-forwarded-for': '2001:db8:1:2::3' };
    const { token: browser } = await logIn(email, headers);
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    const times = { created_at: time, last_used_at: time, expires_at: time };
    expect(await list(browser)).toEqual([
      { id: expect.any(String), device: 'Firefox on Linux', address: '2001:db8:1:2::/64', current: true, ...times },
      { id: expect.any(String), device: null, address: '', current: false, ...times },
    ]);
    expect((await list(token)).map(({ current }) => current)).toEqual([false, true]);
  });

  test('note their use to the minute', async () => {
    const { id, token } = await app.signUp();
    await house.sql`update sessions set last_used_at = now() - interval '1 day' where user_id = ${id}`;
    await app.call('GET', '/api/v1/tasks', { token });
    await eventually(async () => Date.parse((await list(token))[0]?.last_used_at ?? '') > Date.now() - 3_600_000);
  });

  test('end one by one, and the device is unknown then', async () => {
    const { email, token } = await app.signUp();
    const other = await logIn(email, {});
    const theirs = (await list(other.token)).find(({ current }) => current);
    expect(await list(token)).toHaveLength(2);
    expect((await end(token, theirs?.id ?? '')).status).toBe(204);
    expect((await me(other.token)).status).toBe(401);
    expect(await list(token)).toHaveLength(1);
    const [row] = await house.sql`
      select count(device_hash)::int as devices from sessions where user_id = ${String(claimsOf(token).sub)}`;
    expect(row?.devices).toBe(1);
  });

  test('end the current one as logout does', async () => {
    const { token } = await app.signUp();
    const answer = await end(token, String(claimsOf(token).sid));
    expect(answer.status).toBe(204);
    expect(answer.headers.getSetCookie().every((cookie) => /max-age=0/i.test(cookie))).toBe(true);
    expect((await me(token)).status).toBe(401);
  });

  test('of somebody else, API tokens and those that have ended are not found', async () => {
    const [mine, yours] = [await app.signUp(), await app.signUp()];
    const json = { name: 'script', scopes: ['tasks:read'] };
    const made = await app.call('POST', '/api/v1/auth/tokens', { token: mine.token, json });
    const { id: tokenId } = (await made.json()) as { id: string };
    const ended = await app.logIn(mine.email);
    await app.call('POST', '/api/v1/auth/logout', { token: ended.token });
    for (const id of [
      claimsOf(yours.token).sid,
      claimsOf(ended.token).sid,
      tokenId,
      'not-a-uuid',
      crypto.randomUUID(),
    ]) {
      expect(await refusalOf(end(mine.token, String(id)))).toEqual({ status: 404, code: 'SESSION_NOT_FOUND' });
    }
    expect(await list(mine.token)).toHaveLength(1);
    expect((await me(yours.token)).status).toBe(200);
  });

  test('are for the person alone, not for an API token', async () => {
    const { token } = await app.signUp();
    const json = { name: 'script', scopes: ['tasks:read'] };
    const { token: apiToken } = (await (await app.call('POST', '/api/v1/auth/tokens', { token, json })).json()) as {
      token: string;
    };
    const refused = { status: 403, code: 'INSUFFICIENT_SCOPE' };
    expect(await refusalOf(app.call('GET', '/api/v1/auth/sessions', { token: apiToken }))).toEqual(refused);
    expect(await refusalOf(end(apiToken, String(claimsOf(token).sid)))).toEqual(refused);
  });

  test('leave neither device nor address behind at logout', async () => {
    const { id, email } = await app.signUp();
    const { token } = await logIn(email, { 'user-agent': FIREFOX, 'x-forwarded-for': '198.51.100.30' });
    await app.call('POST', '/api/v1/auth/logout', { token });
    const rows = await house.sql`select device, address from sessions where user_id = ${id} and revoked_at is not null`;
    expect([...rows]).toEqual([{ device: null, address: null }]);
  });
});

test('on the Phase IV schema sessions are listed and ended, and nothing more is known of them', async () => {
  const old = await createHouse({ phase: 4 });
  const phase4 = old.open({ EVENTS: 'off' });
  const { token, email, cookies } = await phase4.signUp();
  expect(cookies.some((cookie) => cookie.startsWith('taskflow_device='))).toBe(false);
  const { token: other } = await phase4.logIn(email);
  const answer = await phase4.call('GET', '/api/v1/auth/sessions', { token });
  const sessions = (await answer.json()) as { id: string; device: string | null; current: boolean }[];
  expect(sessions.map(({ device, current }) => ({ device, current }))).toEqual([
    { device: null, current: false },
    { device: null, current: true },
  ]);
  expect((await phase4.call('DELETE', `/api/v1/auth/sessions/${sessions[0]?.id}`, { token })).status).toBe(204);
  expect((await phase4.call('GET', '/api/v1/auth/me', { token: other })).status).toBe(401);
  expect((await phase4.call('POST', '/api/v1/auth/logout', { token })).status).toBe(200);
  await old.close();
});
