import { afterAll, describe, expect, test } from 'bun:test';
import { connect } from '#shared/db';
import { createHouse, newUser, PASSWORD, refusalOf } from '../fixture.ts';
import { issueCode } from './codes.ts';

// Nobody has what is longer than it may be, so no look into the database and no hash is spent on it.

const house = await createHouse();
const nowhere = connect('postgres://nobody@127.0.0.1:1/nothing', { name: 'test', max: 1 });
afterAll(async () => {
  await nowhere.end();
  await house.close();
});
const app = house.open();
const withoutDatabase = house.open({}, nowhere);

const longEmail = `${'x'.repeat(243)}@example.com`;
const longPassword = `A1${'x'.repeat(71)}`;
const wrong = { status: 401, code: 'INVALID_CREDENTIALS' };

describe('POST /auth/login', () => {
  const logIn = (json: object, headers = {}) =>
    refusalOf(withoutDatabase.call('POST', '/api/v1/auth/login', { json: { ...newUser(), ...json }, headers }));

  test.each([
    ['an email', { email: longEmail }],
    ['a password', { password: longPassword }],
    ['a password in bytes', { password: `A1${'é'.repeat(36)}` }],
  ])('refuses %s that is too long as any wrong one, also from a known device', async (_what, json) => {
    expect(await logIn(json)).toEqual(wrong);
    expect(await logIn(json, { cookie: 'taskflow_device=known' })).toEqual(wrong);
  });

  test('looks up what is as long as it may be', async () => {
    const unavailable = { status: 503, code: 'DATABASE_UNAVAILABLE' };
    expect(await logIn({ email: longEmail.slice(1), password: longPassword.slice(0, -1) })).toEqual(unavailable);
    const decomposed = `${'e\u0301'.repeat(240)}@example.com`;
    expect(await logIn({ email: decomposed })).toEqual(unavailable);
  });
});

test('POST /auth/signup refuses an email and a password that are too long', async () => {
  for (const json of [{ email: longEmail }, { password: longPassword }]) {
    const answer = withoutDatabase.call('POST', '/api/v1/auth/signup', { json: newUser(json) });
    expect(await refusalOf(answer)).toEqual({ status: 400, code: 'SIGNUP_ERROR' });
  }
});

test('PUT /auth/password refuses a current and a new one that are too long', async () => {
  const { id, token } = await app.signUp();
  await house.sql`update users set password_hash = 'none' where id = ${id}`; // of which a comparison fails
  const put = (json: object) => refusalOf(app.call('PUT', '/api/v1/auth/password', { token, json }));
  expect(await put({ current: longPassword, new: 'Rainy-Day-42' })).toEqual(wrong);
  expect(await put({ current: PASSWORD, new: longPassword })).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
});

test('POST /auth/password/reset refuses one that is too long, and its code stays good', async () => {
  const { email } = await app.signUp();
  const { code } = await issueCode(house.sql, 'reset', email);
  const reset = (wanted: string) => app.call('POST', '/api/v1/auth/password/reset', { json: { code, new: wanted } });
  expect(await refusalOf(reset(longPassword))).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
  expect((await reset('Rainy-Day-42')).status).toBe(200);
});
