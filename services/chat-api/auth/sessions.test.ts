import { afterAll, describe, expect, test } from 'bun:test';
import { createLog } from '#shared/log';
import { createHouse, newUser, PASSWORD, refusalOf } from '../fixture.ts';
import { createPasswords, type Passwords } from './passwords.ts';
import { createAccounts } from './service.ts';

const house = await createHouse();
const { sql } = house;
const api = house.open();
afterAll(house.close);
const CALLER = { address: '198.51.100.1', isKnown: false, device: null };

/** Accounts on which something happens between the check of a password and what follows from it. */
function accountsWith(meanwhile: () => Promise<unknown>) {
  const real = createPasswords();
  const passwords: Passwords = {
    ...real,
    async verify(...given) {
      const isRight = await real.verify(...given);
      await meanwhile();
      return isRight;
    },
  };
  const log = createLog('test', { write: () => {} });
  return createAccounts({ sql, passwords, signup: 'open', adminEmails: [], refreshSeconds: 60, isPhase4: false, log });
}

const sessionsOf = async (userId: string) =>
  (await sql`select 1 from sessions where user_id = ${userId} and revoked_at is null`).length;

describe('a login that is under way', () => {
  test('ends with the password it was given, when that is changed meanwhile', async () => {
    const { id, email, token } = await api.signUp(newUser());
    const changed = { token, json: { current: PASSWORD, new: 'Rainy-Day-43' } };
    const accounts = accountsWith(() => api.call('PUT', '/api/v1/auth/password', changed));
    await expect(accounts.logIn({ email, password: PASSWORD }, CALLER)).rejects.toMatchObject({
      code: 'INVALID_CREDENTIALS',
    });
    expect(await sessionsOf(id)).toBe(1);
  });

  test('ends with an account that is disabled meanwhile', async () => {
    const { id, email } = await api.signUp(newUser());
    const accounts = accountsWith(() => sql`update users set disabled_at = now() where id = ${id}`);
    await expect(accounts.logIn({ email, password: PASSWORD }, CALLER)).rejects.toMatchObject({
      code: 'INVALID_CREDENTIALS',
    });
  });
});

test('of two changes of a password at once, one wins and the other is told', async () => {
  const { id, sid } = await withSid();
  const accounts = accountsWith(() => sql`update users set password_hash = 'another' where id = ${id}`);
  const change = accounts.changePassword({ userId: id, sid }, { current: PASSWORD, new: 'Rainy-Day-43' }, CALLER);
  await expect(change).rejects.toMatchObject({
    code: 'INVALID_CREDENTIALS',
  });
});

test('a session that has ended leaves no API token behind, though a replica remembers it for a second', async () => {
  const { id, token, sid } = await withSid();
  await api.call('GET', '/api/v1/auth/me', { token });
  await sql`update sessions set revoked_at = now() where id = ${sid}`;
  const json = { name: 'mine for ever', scopes: ['tasks:read'] };
  const answer = api.call('POST', '/api/v1/auth/tokens', { token, json });
  expect(await refusalOf(answer)).toEqual({ status: 401, code: 'INVALID_TOKEN' });
  expect(await sessionsOf(id)).toBe(0);
});

test('a user has at most 100 sessions, and the one used longest ago ends', async () => {
  const { id, email } = await api.signUp(newUser());
  await sql`
    insert into sessions (id, user_id, created_at, expires_at, last_used_at)
    select gen_random_uuid(), ${id}, now() - interval '2 days', now() + interval '1 day', now() - n * interval '1 minute'
    from generate_series(1, 150) n`;
  await sql`insert into sessions (id, user_id, kind, token_hash) values (gen_random_uuid(), ${id}, 'token', 'x')`;
  await api.logIn(email);
  const [row] = await sql`
    select count(*)::int as count, min(last_used_at) > now() - interval '100 minutes' as are_newest
    from sessions where user_id = ${id} and kind = 'login'`;
  expect(row).toEqual({ count: 100, are_newest: true });
  expect(await sessionsOf(id)).toBe(101); // an API token is none of them
});

async function withSid() {
  const user = await api.signUp(newUser());
  const [session] = await sql<{ id: string }[]>`select id from sessions where user_id = ${user.id}`;
  return { ...user, sid: session?.id ?? '' };
}
