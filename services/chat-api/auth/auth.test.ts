import { afterAll, describe, expect, test } from 'bun:test';
import { sha256 } from '#shared/auth';
import { SECRET } from '../../../test/support/parts.ts';
import { eventually } from '../../../test/support/wait.ts';
import { claimsOf, createHouse, newUser, PASSWORD, refusalOf } from '../fixture.ts';
import { issueCode } from './codes.ts';
import { normalized } from './email.ts';

const house = await createHouse();
afterAll(house.close);
const app = house.open();

const me = (token: string, at = app) => at.call('GET', '/api/v1/auth/me', { token });
const refresh = (refresh_token: string) => app.call('POST', '/api/v1/auth/refresh', { json: { refresh_token } });

describe('access token', () => {
  test('carries who, until when and which session; a role only for an admin', async () => {
    const { id, email, token } = await app.signUp();
    const { iat, exp, ...rest } = claimsOf(token);
    expect(rest).toEqual({ sub: id, email, sid: expect.any(String) });
    expect(Number(exp) - Number(iat)).toBe(3600);
  });

  test('of the previous secret is verified, and no other', async () => {
    const JWT_SECRET = 'the next secret, also of 32 characters';
    const { token } = await app.signUp();
    expect((await me(token, house.open({ JWT_SECRET, JWT_SECRET_PREVIOUS: SECRET }))).status).toBe(200);
    expect(await refusalOf(me(token, house.open({ JWT_SECRET })))).toEqual({ status: 401, code: 'INVALID_SIGNATURE' });
  });
});

describe('GET /auth/me', () => {
  test('is 404 when the user is gone or disabled, who cannot log in either', async () => {
    const [gone, disabled] = [await app.signUp(), await app.signUp()];
    await house.sql`delete from users where id = ${gone.id}`;
    await house.sql`update users set disabled_at = now() where id = ${disabled.id}`;
    for (const { token } of [gone, disabled]) {
      expect(await refusalOf(me(token))).toEqual({ status: 404, code: 'USER_NOT_FOUND' });
      expect((await app.call('GET', '/api/v1/tasks', { token })).status).toBe(401);
    }
    const login = app.call('POST', '/api/v1/auth/login', { json: { email: disabled.email, password: PASSWORD } });
    expect(await refusalOf(login)).toEqual({ status: 401, code: 'INVALID_CREDENTIALS' });
  });

  test('says the role to an admin, and to nobody else that there is one', async () => {
    const { id, token, user } = await app.signUp();
    expect(await (await me(token)).json()).toEqual(user);
    await house.sql`update users set role = 'admin' where id = ${id}`;
    expect(await (await me(token)).json()).toEqual({ ...user, role: 'admin' });
  });

  test('is 401 when only the session is gone', async () => {
    const { token, id } = await app.signUp();
    await house.sql`update sessions set revoked_at = now() where user_id = ${id}`;
    expect(await refusalOf(me(token))).toEqual({ status: 401, code: 'INVALID_TOKEN' });
  });
});

describe('refresh token', () => {
  const age = (token: string) =>
    house.sql`update refresh_tokens set rotated_at = rotated_at - interval '11 seconds' where token_hash = ${sha256(token)}`;
  const rowsOf = async (userId: string) =>
    (await house.sql`select 1 from refresh_tokens t join sessions s on s.id = t.session_id where s.user_id = ${userId}`)
      .length;

  test('is stored as its SHA-256 alone', async () => {
    const { refreshToken } = await app.signUp();
    const rows = await house.sql`select 1 from refresh_tokens where token_hash = ${sha256(refreshToken)}`;
    expect(rows).toHaveLength(1);
  });

  test('works again for 10 s and gives another child of the same session', async () => {
    const { refreshToken, token } = await app.signUp();
    const children = [];
    for (let use = 0; use < 2; use++) {
      children.push((await (await refresh(refreshToken)).json()) as { token: string; refresh_token: string });
    }
    const sids = [token, ...children.map((child) => child.token)].map((text) => claimsOf(text).sid);
    expect(new Set(sids).size).toBe(1);
    for (const child of children) expect((await refresh(child.refresh_token)).status).toBe(200);
  });

  test('used later than that ends its session, its children too', async () => {
    const { refreshToken, token } = await app.signUp();
    const { refresh_token: child } = (await (await refresh(refreshToken)).json()) as { refresh_token: string };
    await age(refreshToken);
    const refused = { status: 401, code: 'INVALID_REFRESH_TOKEN' };
    expect(await refusalOf(refresh(refreshToken))).toEqual(refused);
    expect(await refusalOf(refresh(child))).toEqual(refused);
    expect((await me(token)).status).toBe(401);
    expect(house.lines).toContainEqual(
      expect.objectContaining({ message: 'refresh token used again, session revoked', sid: claimsOf(token).sid }),
    );
  });

  test('leaves the user’s other sessions alone when it is used again', async () => {
    const { refreshToken, email } = await app.signUp();
    const other = await app.logIn(email);
    await refresh(refreshToken);
    await age(refreshToken);
    await refresh(refreshToken);
    expect((await me(other.token)).status).toBe(200);
  });

  test('is refused when it has expired, which ends nothing', async () => {
    const { refreshToken, token } = await app.signUp();
    await house.sql`update refresh_tokens set expires_at = now() where token_hash = ${sha256(refreshToken)}`;
    expect(await refusalOf(refresh(refreshToken))).toEqual({ status: 401, code: 'INVALID_REFRESH_TOKEN' });
    expect((await me(token)).status).toBe(200);
  });

  test('of a disabled account is refused', async () => {
    const { refreshToken, id } = await app.signUp();
    await house.sql`update users set disabled_at = now() where id = ${id}`;
    expect(await refusalOf(refresh(refreshToken))).toEqual({ status: 401, code: 'INVALID_REFRESH_TOKEN' });
  });

  test('leaves few rows behind, however often its session is refreshed', async () => {
    const { id, refreshToken } = await app.signUp();
    let token = refreshToken;
    for (let turn = 0; turn < 8; turn++) {
      const answer = (await (await refresh(token)).json()) as { refresh_token: string };
      await age(token);
      token = answer.refresh_token;
    }
    expect(await rowsOf(id)).toBe(3); // its family, the one that was exchanged last, and its child
    expect((await refresh(token)).status).toBe(200);
  });

  test('ends its session also when it was used so long ago that its row is gone', async () => {
    const { refreshToken, token: access } = await app.signUp();
    let token = refreshToken;
    for (let turn = 0; turn < 3; turn++) {
      const answer = (await (await refresh(token)).json()) as { refresh_token: string };
      await age(token);
      token = answer.refresh_token;
    }
    expect(await house.sql`select 1 from refresh_tokens where token_hash = ${sha256(refreshToken)}`).toHaveLength(0);
    expect(await refusalOf(refresh(refreshToken))).toEqual({ status: 401, code: 'INVALID_REFRESH_TOKEN' });
    expect((await me(access)).status).toBe(401);
    expect(await refusalOf(refresh(token))).toEqual({ status: 401, code: 'INVALID_REFRESH_TOKEN' });
  });

  test('is exchanged 20 times in 10 s, together with its children, and no more', async () => {
    const [person, other] = [await app.signUp(), await app.signUp()];
    const answers = await Promise.all(Array.from({ length: 30 }, () => refresh(person.refreshToken)));
    const good = answers.filter(({ status }) => status === 200);
    expect(good).toHaveLength(20);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(10);
    for (const { headers } of refused) expect(headers.get('retry-after')).toMatch(/^([1-9]|10)$/);
    const { refresh_token: child } = (await good[0]?.json()) as { refresh_token: string };
    expect((await refresh(child)).status).toBe(429);
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });

  test('is one of at most 100 unused ones of its session, the newest', async () => {
    const { id, refreshToken } = await app.signUp();
    await house.sql`
      insert into refresh_tokens (token_hash, session_id, expires_at, created_at)
      select sha256(n::text::bytea), s.id, now() + interval '1 day', now() - n * interval '1 minute'
      from sessions s, generate_series(1, 150) n where s.user_id = ${id}`;
    const { refresh_token } = (await (await refresh(refreshToken)).json()) as { refresh_token: string };
    expect(await rowsOf(id)).toBe(102); // with the family and the one just exchanged
    expect((await refresh(refresh_token)).status).toBe(200);
  });

  test('of the form without a family is exchanged, and its child is watched as any other', async () => {
    const { id, token: access } = await app.signUp();
    await house.sql`
      insert into refresh_tokens (token_hash, session_id, expires_at)
      select ${sha256('of an earlier version')}, s.id, now() + interval '1 day' from sessions s where s.user_id = ${id}`;
    const { refresh_token: child } = (await (await refresh('of an earlier version')).json()) as {
      refresh_token: string;
    };
    expect((await refresh(child)).status).toBe(200);
    await house.sql`delete from refresh_tokens where token_hash = ${sha256(child)}`;
    expect((await refresh(child)).status).toBe(401);
    expect((await me(access)).status).toBe(401);
  });

  test('as a cookie needs our own origin', async () => {
    const { refreshToken } = await app.signUp();
    const withOrigin = (origin: Record<string, string>) =>
      app.call('POST', '/api/v1/auth/refresh', {
        headers: { host: 'tasks.example', cookie: `refresh_token=${refreshToken}`, ...origin },
      });
    for (const origin of [{}, { origin: 'null' }, { origin: 'https://evil.example' }]) {
      expect(await refusalOf(withOrigin(origin))).toEqual({ status: 403, code: 'ORIGIN_MISMATCH' });
    }
    expect((await withOrigin({ origin: 'https://tasks.example' })).status).toBe(200);
  });

  test('as a cookie is answered with a cookie, out of reach of scripts', async () => {
    const { refreshToken } = await app.signUp();
    const headers = { host: 'tasks.example', origin: 'http://tasks.example', cookie: `refresh_token=${refreshToken}` };
    const answer = await app.call('POST', '/api/v1/auth/refresh', { headers });
    expect(Object.keys((await answer.json()) as object).sort()).toEqual(['message', 'token']);
    expect(answer.headers.getSetCookie().some((cookie) => cookie.startsWith('refresh_token='))).toBe(true);
    const both = { json: { refresh_token: refreshToken }, headers };
    expect(await (await app.call('POST', '/api/v1/auth/refresh', both)).json()).toHaveProperty('refresh_token');
  });

  test('as a cookie counts under its name with the prefix alone when the public URL is https, and once', async () => {
    const secure = house.open({ PUBLIC_URL: 'https://tasks.example' });
    const { refreshToken } = await secure.signUp();
    const withCookie = async (cookie: string) => {
      const headers = { origin: 'https://tasks.example', cookie };
      return (await secure.call('POST', '/api/v1/auth/refresh', { headers })).status;
    };
    expect(await withCookie(`refresh_token=${refreshToken}`)).toBe(401);
    expect(await withCookie(`__Secure-refresh_token=planted; __Secure-refresh_token=${refreshToken}`)).toBe(401);
    expect(await withCookie(`__Secure-refresh_token=${refreshToken}`)).toBe(200);
  });
});

describe('cookies', () => {
  const shapes = ({ cookies }: { cookies: string[] }) =>
    cookies.map((cookie) => cookie.replace(/=[^;]+/, '=…').toLowerCase());

  test('are HttpOnly and SameSite=Strict', async () => {
    expect(shapes(await app.signUp())).toEqual([
      'taskflow_session=…; path=/; max-age=3600; httponly; samesite=strict',
      'refresh_token=…; path=/api/v1/auth; max-age=3600; httponly; samesite=strict',
      'taskflow_device=…; path=/api/v1/auth; max-age=34560000; httponly; samesite=strict',
    ]);
  });

  test('are Secure, and by their names no other host’s, when the public URL is https', async () => {
    expect(shapes(await house.open({ PUBLIC_URL: 'https://tasks.example' }).signUp())).toEqual([
      '__host-taskflow_session=…; path=/; max-age=3600; secure; httponly; samesite=strict',
      '__secure-refresh_token=…; path=/api/v1/auth; max-age=3600; secure; httponly; samesite=strict',
      '__secure-taskflow_device=…; path=/api/v1/auth; max-age=34560000; secure; httponly; samesite=strict',
    ]);
  });

  test('log in, and log out with our own origin', async () => {
    const { token, user } = await app.signUp();
    const headers = { cookie: `taskflow_session=${token}`, host: 'localhost' };
    expect(await (await app.call('GET', '/api/v1/auth/me', { headers })).json()).toEqual(user);
    const logout = (origin: string) => app.call('POST', '/api/v1/auth/logout', { headers: { ...headers, origin } });
    expect((await logout('http://evil.example')).status).toBe(403);
    const answer = await logout('http://localhost');
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie().every((cookie) => /max-age=0/i.test(cookie))).toBe(true);
  });
});

describe('sign-up', () => {
  const refused = { status: 400, code: 'SIGNUP_ERROR' };
  const signUp = (at: typeof app, json: Record<string, unknown>) =>
    refusalOf(at.call('POST', '/api/v1/auth/signup', { json }));

  test('takes a timezone that is one', async () => {
    const { token } = await app.signUp({ timezone: 'Europe/Berlin' });
    const settings = await app.call('GET', '/api/v1/settings', { token });
    expect(await settings.json()).toEqual({ timezone: 'Europe/Berlin' });
    expect(await signUp(app, newUser({ timezone: 'Berlin' }))).toEqual(refused);
  });

  test('says what kind of refusal it is, however its address is spelled', async () => {
    for (const path of ['/signup', '/signup/', '/signup/?x'])
      expect(await refusalOf(app.call('POST', `/api/v1/auth${path}`, { json: {} }))).toEqual(refused);
  });

  test('is refused where it is closed', async () => {
    expect(await signUp(house.open({ SIGNUP: 'closed' }), newUser())).toEqual(refused);
  });

  test('by invitation takes a code once, for its email alone', async () => {
    const invited = house.open({ SIGNUP: 'invite' });
    const user = newUser();
    const { code } = await issueCode(house.sql, 'invite', user.email);
    expect(await signUp(invited, user)).toEqual(refused);
    expect(await signUp(invited, newUser({ invite_code: code }))).toEqual(refused);
    expect(await signUp(invited, { ...user, password: 'weak', invite_code: code })).toEqual(refused);
    await invited.signUp({ ...user, invite_code: code });
    await house.sql`delete from users where email = ${user.email}`;
    expect(await signUp(invited, { ...user, invite_code: code })).toEqual(refused);
  });

  test('by invitation knows the email in any form of its letters', async () => {
    const user = newUser({ email: `${crypto.randomUUID()}-CAFÉ@example.com` });
    const { code } = await issueCode(house.sql, 'invite', normalized(user.email));
    const signedUp = { ...user, email: user.email.normalize('NFD'), invite_code: code };
    expect((await house.open({ SIGNUP: 'invite' }).signUp(signedUp)).email).toBe(user.email.toLowerCase());
  });

  test('by invitation takes a code with the blanks that were copied with it', async () => {
    const user = newUser();
    const { code } = await issueCode(house.sql, 'invite', user.email);
    await house.open({ SIGNUP: 'invite' }).signUp({ ...user, invite_code: ` ${code}\n` });
  });

  test('open to all takes an invitation too, and refuses one that is not good', async () => {
    const [user, other] = [newUser(), newUser()];
    const { code } = await issueCode(house.sql, 'invite', user.email);
    expect(await signUp(app, { ...other, invite_code: code })).toEqual(refused);
    await app.signUp({ ...user, invite_code: code });
    expect(await signUp(app, { ...other, invite_code: code })).toEqual(refused);
    await app.signUp({ ...other, invite_code: '' });
  });

  test('by invitation takes no expired code and no reset code', async () => {
    const invited = house.open({ SIGNUP: 'invite' });
    const user = newUser();
    const { code: reset } = await issueCode(house.sql, 'reset', user.email);
    expect(await signUp(invited, { ...user, invite_code: reset })).toEqual(refused);
    const { code: late } = await issueCode(house.sql, 'invite', user.email);
    await house.sql`update account_codes set expires_at = now() where code_hash = ${sha256(late)}`;
    expect(await signUp(invited, { ...user, invite_code: late })).toEqual(refused);
  });
});

describe('ADMIN_EMAILS', () => {
  const roleIn = ({ token }: { token: string }) => claimsOf(token).role;
  const naming = (email: string, SIGNUP: 'open' | 'invite' = 'open') =>
    house.open({ SIGNUP, ADMIN_EMAILS: `other@example.com, ${email.toUpperCase()}` });
  const invited = async (at: typeof app, user: ReturnType<typeof newUser>) => {
    const { code } = await issueCode(house.sql, 'invite', user.email);
    return at.signUp({ ...user, invite_code: code });
  };

  test.each(['open', 'invite'] as const)(
    'makes an admin of an account that an invitation made, sign-up %s',
    async (signup) => {
      const user = newUser();
      expect(roleIn(await invited(naming(user.email, signup), user))).toBe('admin');
      expect(roleIn(await app.logIn(user.email))).toBe('admin');
    },
  );

  test('makes an admin at its next login of an account that was invited before it was named', async () => {
    const user = newUser();
    expect(roleIn(await invited(app, user))).toBeUndefined();
    expect(roleIn(await naming(user.email).logIn(user.email))).toBe('admin');
  });

  test('makes no admin of who signs up with the address, and says once what to do', async () => {
    const user = newUser();
    const open = naming(user.email);
    const roles = [roleIn(await open.signUp(user)), roleIn(await open.logIn(user.email))];
    expect(roles).toEqual([undefined, undefined]);
    expect((await house.sql`select 1 from users where email = ${user.email} and role is null`).length).toBe(1);
    const warnings = house.lines.filter(({ level, email }) => level === 'warn' && email === user.email);
    expect(warnings).toEqual([
      expect.objectContaining({ message: expect.stringContaining('users admin'), user_id: expect.any(String) }),
    ]);
  });

  test('knows an email in any form of its letters', async () => {
    const { email } = await invited(app, newUser({ email: `${crypto.randomUUID()}-café@example.com` }));
    const { token } = await house.open({ ADMIN_EMAILS: email.normalize('NFD') }).logIn(email);
    expect(claimsOf(token).role).toBe('admin');
  });
});

describe('two accounts of one email, from before it had one form', () => {
  test('are each found by their own letters', async () => {
    const composed = await app.signUp({ email: `${crypto.randomUUID()}-café@example.com` });
    const other = await app.signUp();
    const decomposed = composed.email.normalize('NFD');
    await house.database.sql`update users set email = ${decomposed} where id = ${other.id}`;
    expect((await app.logIn(composed.email)).id).toBe(composed.id);
    expect((await app.logIn(decomposed.toUpperCase())).id).toBe(other.id);
    expect((await app.logIn(composed.email.toUpperCase())).id).toBe(composed.id);

    const { code } = await issueCode(house.sql, 'reset', decomposed);
    await app.call('POST', '/api/v1/auth/password/reset', { json: { code, new: 'Rainy-Day-42' } });
    expect((await app.logIn(decomposed, 'Rainy-Day-42')).id).toBe(other.id);
    expect((await app.logIn(composed.email)).id).toBe(composed.id);
  });
});

describe('PUT /auth/password', () => {
  test('ends every other session and API token, and keeps this one', async () => {
    const { email, token } = await app.signUp();
    const other = await app.logIn(email);
    const json = { name: 'script', scopes: ['tasks:read'] };
    const { token: apiToken } = (await (await app.call('POST', '/api/v1/auth/tokens', { token, json })).json()) as {
      token: string;
    };
    const changed = await app.call('PUT', '/api/v1/auth/password', {
      token,
      json: { current: PASSWORD, new: 'Rainy-Day-42' },
    });
    expect(changed.status).toBe(200);
    expect((await me(token)).status).toBe(200);
    expect((await me(other.token)).status).toBe(401);
    expect((await me(apiToken)).status).toBe(401);
    expect((await app.logIn(email, 'Rainy-Day-42')).email).toBe(email);
  });

  test('refuses a wrong current and a weak new password', async () => {
    const { token } = await app.signUp();
    const put = (json: unknown) => refusalOf(app.call('PUT', '/api/v1/auth/password', { token, json }));
    expect(await put({ current: 'Wrong-Day-42', new: 'Rainy-Day-42' })).toEqual({
      status: 401,
      code: 'INVALID_CREDENTIALS',
    });
    expect(await put({ current: PASSWORD, new: 'weak' })).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
    expect(await put({ current: PASSWORD })).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
  });
});

describe('one of the most common passwords', () => {
  const common = 'Password123!';
  const put = async (token: string, current: string) =>
    refusalOf(app.call('PUT', '/api/v1/auth/password', { token, json: { current, new: common } }));

  test('is refused wherever one is set', async () => {
    const { email, token } = await app.signUp();
    const signUp = app.call('POST', '/api/v1/auth/signup', { json: newUser({ password: common }) });
    expect(await refusalOf(signUp)).toEqual({ status: 400, code: 'SIGNUP_ERROR' });
    expect(await put(token, PASSWORD)).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
    const { code } = await issueCode(house.sql, 'reset', email);
    const reset = app.call('POST', '/api/v1/auth/password/reset', { json: { code, new: common } });
    expect(await refusalOf(reset)).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
  });

  test('still logs in who has it from before', async () => {
    const { id, email } = await app.signUp();
    const hash = await Bun.password.hash(common, { algorithm: 'bcrypt', cost: 10 });
    await house.sql`update users set password_hash = ${hash} where id = ${id}`;
    const { token } = await app.logIn(email, common);
    expect(await put(token, common)).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
  });
});

describe('POST /auth/password/reset', () => {
  const reset = (json: unknown) => app.call('POST', '/api/v1/auth/password/reset', { json });

  test('sets a password with a printed code, once, and ends all sessions', async () => {
    const { email, token } = await app.signUp();
    const { code } = await issueCode(house.sql, 'reset', email);
    expect(await refusalOf(reset({ code, new: 'weak' }))).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
    expect((await reset({ code, new: 'Rainy-Day-42' })).status).toBe(200);
    expect(await refusalOf(reset({ code, new: 'Rainy-Day-43' }))).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
    expect((await me(token)).status).toBe(401);
    expect((await app.logIn(email, 'Rainy-Day-42')).email).toBe(email);
  });

  test('takes no code from before a change of the password', async () => {
    const { email, token } = await app.signUp();
    const { code } = await issueCode(house.sql, 'reset', email);
    const change = { current: PASSWORD, new: 'Rainy-Day-42' };
    expect((await app.call('PUT', '/api/v1/auth/password', { token, json: change })).status).toBe(200);
    expect(await refusalOf(reset({ code, new: 'Windy-Day-42' }))).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
    expect((await app.logIn(email, 'Rainy-Day-42')).email).toBe(email);
  });

  test('takes no invitation', async () => {
    const { email } = await app.signUp();
    const { code } = await issueCode(house.sql, 'invite', email);
    expect(await refusalOf(reset({ code, new: 'Rainy-Day-42' }))).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
  });
});

describe('API tokens', () => {
  const make = async (token: string, more: Record<string, unknown> = {}) => {
    const json = { name: 'script', scopes: ['tasks:read'], ...more };
    return (await (await app.call('POST', '/api/v1/auth/tokens', { token, json })).json()) as {
      id: string;
      token: string;
    };
  };
  const list = async (token: string) =>
    (await (await app.call('GET', '/api/v1/auth/tokens', { token })).json()) as Record<string, unknown>[];

  test('are made by nobody who was disabled a moment ago, and would have one when enabled again', async () => {
    const { id, token } = await app.signUp();
    await me(token); // is remembered for a moment
    await house.database.sql`update users set disabled_at = now() where id = ${id}`;
    const json = { name: 'later', scopes: ['tasks:read'] };
    const made = app.call('POST', '/api/v1/auth/tokens', { token, json });
    expect(await refusalOf(made)).toEqual({ status: 401, code: 'INVALID_TOKEN' });
    expect(await house.sql`select 1 from sessions where user_id = ${id} and kind = 'token'`).toHaveLength(0);
  });

  test('are as many as the setting says, however many are made at once; who revokes one may make another', async () => {
    const few = house.open({ API_TOKENS_PER_USER: 3 });
    const [{ token }, other] = [await few.signUp(), await few.signUp()];
    const make = (bearer: string) =>
      few.call('POST', '/api/v1/auth/tokens', { token: bearer, json: { name: 'x', scopes: ['tasks:read'] } });
    const answers = await Promise.all(Array.from({ length: 9 }, () => make(token)));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(3);
    expect(await refusalOf(make(token))).toEqual({ status: 409, code: 'QUOTA_EXCEEDED' });
    expect((await make(other.token)).status).toBe(201);
    const { id } = (await made[0]?.json()) as { id: string };
    await few.call('DELETE', `/api/v1/auth/tokens/${id}`, { token });
    expect((await make(token)).status).toBe(201);
    expect(await refusalOf(make(token))).toEqual({ status: 409, code: 'QUOTA_EXCEEDED' });
  });

  test('are shown once, stored as SHA-256 and listed with their last use', async () => {
    const { token } = await app.signUp();
    const made = await make(token);
    expect(made.token).toMatch(/^tf_[\w-]{43}$/);
    const [before] = await list(token);
    expect(before).toEqual({
      id: made.id,
      name: 'script',
      scopes: ['tasks:read'],
      created_at: expect.any(String),
      expires_at: null,
      last_used_at: null,
    });
    const [row] = await house.sql`select token_hash from sessions where id = ${made.id}`;
    expect(row?.token_hash).toEqual(sha256(made.token));
  });

  test('do what their scopes say and make no tokens', async () => {
    const { token } = await app.signUp();
    const { token: reader } = await make(token);
    expect((await app.call('GET', '/api/v1/tasks', { token: reader })).status).toBe(200);
    const refused = { status: 403, code: 'INSUFFICIENT_SCOPE' };
    const json = { title: 'T', name: 'x', scopes: ['tasks:write'] };
    expect(await refusalOf(app.call('POST', '/api/v1/tasks', { token: reader, json }))).toEqual(refused);
    expect(await refusalOf(app.call('POST', '/api/v1/auth/tokens', { token: reader, json }))).toEqual(refused);
    expect(await refusalOf(app.call('POST', '/api/v1/auth/logout', { token: reader }))).toEqual(refused);
  });

  test('note their use', async () => {
    const { token } = await app.signUp();
    const { token: reader } = await make(token);
    await app.call('GET', '/api/v1/tasks', { token: reader });
    await eventually(async () => (await list(token))[0]?.last_used_at);
  });

  test('end by revocation and by expiry', async () => {
    const { token } = await app.signUp();
    const [revoked, expired] = [await make(token), await make(token, { expires_in_days: 1 })];
    expect((await app.call('DELETE', `/api/v1/auth/tokens/${revoked.id}`, { token })).status).toBe(204);
    await house.sql`update sessions set expires_at = now() where id = ${expired.id}`;
    for (const each of [revoked, expired]) {
      expect(await refusalOf(me(each.token))).toEqual({ status: 401, code: 'INVALID_TOKEN' });
    }
    expect(await list(token)).toEqual([]);
  });

  test('of somebody else are not found', async () => {
    const [mine, yours] = [await app.signUp(), await app.signUp()];
    const { id } = await make(yours.token);
    for (const path of [id, 'not-a-uuid']) {
      expect((await app.call('DELETE', `/api/v1/auth/tokens/${path}`, { token: mine.token })).status).toBe(404);
    }
    expect(await list(mine.token)).toEqual([]);
  });

  test('have a name of up to 100 characters, whatever these take', async () => {
    const { token } = await app.signUp();
    for (const character of ['x', 'é', '😀']) await make(token, { name: character.repeat(100) });
    expect((await list(token)).map(({ name }) => [...String(name)].length)).toEqual([100, 100, 100]);
  });

  test.each([
    ['no name', 'name', { name: '' }],
    ['a blank name', 'name', { name: ' \t ' }],
    ['a name that shows nothing', 'name', { name: '\u200b\u2060' }],
    ['a name of 101 characters', 'name: at most 100 characters', { name: '😀'.repeat(101) }],
    ['a name that is a number', 'name', { name: 5 }],
    ['a name of two lines', 'name', { name: 'a\r\nb' }],
    ['no scope', 'scopes', { scopes: [] }],
    ['an unknown scope', 'scopes.0', { scopes: ['admin'] }],
    ['an expiry in the past', 'expires_in_days', { expires_in_days: 0 }],
    ['an expiry that is text', 'expires_in_days', { expires_in_days: '5' }],
  ])('refuse %s', async (_name, field, more) => {
    const { token } = await app.signUp();
    const json = { name: 'script', scopes: ['tasks:read'], ...more };
    const answer = await app.call('POST', '/api/v1/auth/tokens', { token, json });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringMatching(new RegExp(`^${field}(: |$)`)),
    });
  });
});

describe('rate limits', () => {
  const from = (address: string) => ({ 'x-forwarded-for': `203.0.113.9, ${address}` });
  const logIn = (at: typeof app, json: unknown, address: string) =>
    at.call('POST', '/api/v1/auth/login', { json, headers: from(address) });
  const statusesOf = async (answers: Promise<Response>[]) =>
    (await Promise.all(answers)).map(({ status }) => status).sort();

  test('refuse an address that signs up or fails too often, and no other', async () => {
    const limited = house.open({ ADDRESS_ATTEMPTS: 3 });
    for (let failures = 0; failures < 3; failures++) {
      expect((await logIn(limited, newUser(), '198.51.100.1')).status).toBe(401);
    }
    const refused = await logIn(limited, newUser(), '198.51.100.1');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d?$/);
    expect((await logIn(limited, newUser(), '198.51.100.2')).status).toBe(401);
  });

  test('count a login that succeeds among the logins of its address, not among the failures', async () => {
    const { email } = await app.signUp();
    const limited = house.open({ ADDRESS_ATTEMPTS: 1, LOGIN_FAILURES: 1, ADDRESS_LOGINS: 3 });
    const right = (address: string) => logIn(limited, { email, password: PASSWORD }, address);
    const four = Array.from({ length: 4 }, () => '198.51.100.1');
    const statuses = [];
    for (const address of [...four, '198.51.100.2']) statuses.push((await right(address)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 200]);
  });

  test('count sign-ups and changes of a password among the logins', async () => {
    const limited = house.open({ ADDRESS_LOGINS: 2 });
    const headers = from('198.51.100.1');
    const signUp = () => limited.call('POST', '/api/v1/auth/signup', { json: newUser(), headers });
    const { token } = (await (await signUp()).json()) as { token: string };
    const json = { current: PASSWORD, new: 'Rainy-Day-42' };
    const change = () => limited.call('PUT', '/api/v1/auth/password', { token, json, headers });
    expect([(await change()).status, (await change()).status, (await signUp()).status]).toEqual([200, 429, 429]);
  });

  test('hold an account in one network, known or not, and its owner elsewhere logs in', async () => {
    const limited = house.open({ LOGIN_FAILURES: 2 });
    const { email } = await app.signUp();
    const wrong = { password: 'x', address: '198.51.100.3' };
    const attempts = [wrong, wrong, wrong, { ...wrong, password: PASSWORD }];
    for (const [name, elsewhere] of [
      [email, 200],
      [newUser().email, 401],
    ] as const) {
      const statuses = [];
      for (const { password, address } of [...attempts, { password: PASSWORD, address: '198.51.100.4' }]) {
        statuses.push((await logIn(limited, { email: name, password }, address)).status);
      }
      expect(statuses).toEqual([401, 401, 429, 429, elsewhere]);
    }
  });

  test('hold an account, known or not, above its ceiling for all networks and forms of its letters', async () => {
    const limited = house.open({ ACCOUNT_FAILURES: 2 });
    const known = await app.signUp({ email: `${crypto.randomUUID()}-café@example.com` });
    for (const email of [known.email, newUser().email]) {
      const forms = [email.normalize('NFD').toUpperCase(), email, email];
      const answers = forms.map((form, i) => logIn(limited, { email: form, password: 'x' }, `198.51.100.${3 + i}`));
      expect(await statusesOf(answers)).toEqual([401, 401, 429]);
    }
  });

  test('let the owner change the password whoever fails to log in meanwhile', async () => {
    const limited = house.open({ LOGIN_FAILURES: 1, ACCOUNT_FAILURES: 1, ADDRESS_ATTEMPTS: 1 });
    const { email, token } = await app.signUp();
    const headers = from('198.51.100.6');
    const failed = [1, 2].map(() => logIn(limited, { email, password: 'x' }, '198.51.100.6'));
    expect(await statusesOf(failed)).toEqual([401, 429]);
    const json = { current: PASSWORD, new: 'Rainy-Day-42' };
    expect((await limited.call('PUT', '/api/v1/auth/password', { token, json, headers })).status).toBe(200);
  });

  test('let a session guess its password so often, and the owner’s other sessions change it', async () => {
    const limited = house.open({ LOGIN_FAILURES: 2 });
    const { email, token: stolen } = await app.signUp();
    const { token } = await app.logIn(email);
    const change = (by: string, current: string) =>
      limited.call('PUT', '/api/v1/auth/password', { token: by, json: { current, new: 'Rainy-Day-42' } });
    const statuses = [];
    for (const guess of ['Guess-1', 'Guess-2', PASSWORD]) statuses.push((await change(stolen, guess)).status);
    expect([...statuses, (await change(token, PASSWORD)).status]).toEqual([401, 401, 429, 200]);
  });

  test('refuse an address that refreshes too often, also with good tokens', async () => {
    const limited = house.open({ ADDRESS_REFRESHES: 2 });
    const { refreshToken } = await app.signUp();
    const refreshFrom = (address: string) =>
      limited.call('POST', '/api/v1/auth/refresh', { json: { refresh_token: refreshToken }, headers: from(address) });
    expect(await statusesOf([1, 2, 3].map(() => refreshFrom('198.51.100.7')))).toEqual([200, 200, 429]);
    expect((await refreshFrom('198.51.100.8')).status).toBe(200);
  });
});
