import { afterAll, describe, expect, test } from 'bun:test';
import { createHouse, newUser, PASSWORD } from '../fixture.ts';
import { issueCode } from './codes.ts';
import { revokeSessions } from './sessions.ts';

const house = await createHouse();
afterAll(house.close);
const app = house.open();

describe('a device that logged in before', () => {
  const locked = house.open({ LOGIN_FAILURES: 2, ACCOUNT_FAILURES: 2 });
  const deviceOf = ({ cookies }: { cookies: string[] }) =>
    cookies.find((cookie) => cookie.startsWith('taskflow_device='))?.split(';', 1)[0] ?? '';
  const logIn = (email: string, { password = PASSWORD, cookie = '', address = '198.51.100.20' } = {}) =>
    locked.call('POST', '/api/v1/auth/login', {
      json: { email, password },
      headers: { cookie, 'x-forwarded-for': address },
    });
  /** Locks an account everywhere, for whoever shows no device of it. */
  async function lock(email: string) {
    for (const address of ['203.0.113.1', '203.0.113.2']) {
      expect((await logIn(email, { password: 'x', address })).status).toBe(401);
    }
    expect((await logIn(email)).status).toBe(429);
  }

  test('logs in while others have locked the account, from any network', async () => {
    const person = await app.signUp();
    await lock(person.email);
    for (const address of ['198.51.100.20', '203.0.113.1']) {
      expect((await logIn(person.email, { cookie: deviceOf(person), address })).status).toBe(200);
    }
  });

  test('has a window of its own for its failures', async () => {
    const person = await app.signUp();
    const cookie = deviceOf(person);
    await lock(person.email);
    const statuses = [];
    for (const password of ['x', 'y', PASSWORD]) {
      statuses.push((await logIn(person.email, { password, cookie })).status);
    }
    expect(statuses).toEqual([401, 401, 429]);
    const other = await house.open().logIn(person.email);
    expect((await logIn(person.email, { cookie: deviceOf(other) })).status).toBe(200);
  });

  test('is none of another account, and of none that does not exist', async () => {
    const [person, stranger] = [await app.signUp(), await app.signUp()];
    for (const email of [person.email, newUser().email]) {
      await lock(email);
      for (const cookie of [deviceOf(stranger), 'taskflow_device=made-up']) {
        expect((await logIn(email, { cookie })).status).toBe(429);
      }
    }
  });

  test('is known after its logout', async () => {
    const person = await app.signUp();
    await app.call('POST', '/api/v1/auth/logout', { token: person.token });
    await lock(person.email);
    expect((await logIn(person.email, { cookie: deviceOf(person) })).status).toBe(200);
  });

  test('is known after the password was changed on it', async () => {
    const person = await app.signUp();
    const json = { current: PASSWORD, new: 'Rainy-Day-42' };
    await app.call('PUT', '/api/v1/auth/password', { token: person.token, json });
    await lock(person.email);
    const login = await logIn(person.email, { password: json.new, cookie: deviceOf(person) });
    expect(login.status).toBe(200);
  });

  test('is forgotten when the password is changed elsewhere or reset, and when the account is disabled', async () => {
    const change = async ({ email }: { email: string }) => {
      const { token } = await app.logIn(email);
      await app.call('PUT', '/api/v1/auth/password', { token, json: { current: PASSWORD, new: 'Rainy-Day-42' } });
      return 'Rainy-Day-42';
    };
    const reset = async ({ email }: { email: string }) => {
      const { code } = await issueCode(house.sql, 'reset', email);
      await app.call('POST', '/api/v1/auth/password/reset', { json: { code, new: 'Rainy-Day-42' } });
      return 'Rainy-Day-42';
    };
    const disable = async ({ id }: { id: string }) => {
      await revokeSessions(house.sql, id, null);
      return PASSWORD;
    };
    for (const forget of [change, reset, disable]) {
      const person = await app.signUp();
      await app.call('POST', '/api/v1/auth/logout', { token: person.token });
      const password = await forget(person);
      await lock(person.email);
      expect((await logIn(person.email, { password, cookie: deviceOf(person) })).status).toBe(429);
    }
  });
});
