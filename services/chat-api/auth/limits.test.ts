import { describe, expect, test } from 'bun:test';
import { ApiError } from '#shared/errors';
import { createLimits } from './limits.ts';

const MINUTE = 60_000;
const wrong = () => Promise.reject(new ApiError(401, 'INVALID_CREDENTIALS', 'wrong'));
const right = async () => 'right';
const caller = { address: '198.51.100.1', email: 'a@example.com', device: null };

function setUp(changed: Partial<Parameters<typeof createLimits>[0]> = {}) {
  const clock = { now: 0 };
  const limits = createLimits({
    loginFailures: 2,
    accountFailures: 4,
    addressAttempts: 5,
    addressLogins: 100,
    addressRefreshes: 100,
    now: () => clock.now,
    ...changed,
  });
  return { clock, limits };
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  );

describe('logIn', () => {
  test('refuses an account in a network after its failures there, and says for how long', async () => {
    const { clock, limits } = setUp();
    for (let failures = 0; failures < 2; failures++) await codeOf(limits.logIn(caller, wrong));
    clock.now = MINUTE;
    const refusal = await limits.logIn(caller, right).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 429, code: 'RATE_LIMITED', headers: { 'retry-after': '240' } });
    expect(await limits.logIn({ ...caller, address: '198.51.100.2' }, right)).toBe('right');
    clock.now = 5 * MINUTE;
    expect(await limits.logIn(caller, right)).toBe('right');
  });

  test('refuses an account everywhere after its failures from all networks', async () => {
    const { limits } = setUp();
    const from = (host: number) => ({ ...caller, address: `198.51.100.${host}` });
    for (let host = 1; host <= 4; host++) await codeOf(limits.logIn(from(host), wrong));
    expect(await codeOf(limits.logIn(from(5), right))).toBe('RATE_LIMITED');
    expect(await codeOf(limits.logIn({ ...from(5), email: 'b@example.com' }, right))).toBe('done');
  });

  test('lets attempts at the same time pass no more than one after another', async () => {
    const { limits } = setUp();
    const codes = await Promise.all(Array.from({ length: 4 }, () => codeOf(limits.logIn(caller, wrong))));
    expect(codes).toEqual(['INVALID_CREDENTIALS', 'INVALID_CREDENTIALS', 'RATE_LIMITED', 'RATE_LIMITED']);
  });

  test('blames nobody for a database that is away', async () => {
    const { limits } = setUp();
    for (let i = 0; i < 9; i++) await codeOf(limits.logIn(caller, () => Promise.reject(new Error('away'))));
    expect(await codeOf(limits.logIn(caller, wrong))).toBe('INVALID_CREDENTIALS');
  });

  test('counts the failures of an address over all accounts', async () => {
    const { limits } = setUp();
    for (let i = 0; i < 5; i++) await codeOf(limits.logIn({ ...caller, email: `${i}@example.com` }, wrong));
    expect(await codeOf(limits.logIn({ ...caller, email: 'new@example.com' }, wrong))).toBe('RATE_LIMITED');
    expect(() => limits.signUp(caller.address)).toThrow('Too many attempts');
  });

  test('counts of an address what succeeds too, for a minute', async () => {
    const { clock, limits } = setUp({ addressLogins: 3 });
    for (let i = 0; i < 3; i++) expect(await codeOf(limits.logIn(caller, right))).toBe('done');
    expect(await codeOf(limits.logIn(caller, right))).toBe('RATE_LIMITED');
    clock.now = MINUTE;
    expect(await codeOf(limits.logIn(caller, right))).toBe('done');
  });

  test('counts no attempt that it refuses', async () => {
    const { limits } = setUp({ addressAttempts: 3, addressLogins: 4 });
    for (let i = 0; i < 9; i++) await codeOf(limits.logIn(caller, wrong)); // seven of them refused
    const other = { ...caller, email: 'b@example.com' };
    expect(await codeOf(limits.logIn(other, wrong))).toBe('INVALID_CREDENTIALS');
    expect(await codeOf(limits.logIn(other, right))).toBe('RATE_LIMITED');
  });
});

test('signUp counts what succeeds too, for a minute', () => {
  const { clock, limits } = setUp();
  for (let i = 0; i < 5; i++) limits.signUp('198.51.100.2');
  expect(() => limits.signUp('198.51.100.2')).toThrow('Too many attempts');
  clock.now = MINUTE;
  limits.signUp('198.51.100.2');
});

test('an IPv6 caller is counted by its /64, of which every address is theirs', () => {
  const { limits } = setUp();
  for (let i = 0; i < 5; i++) limits.signUp(`2001:db8:0:7::${i}`);
  expect(() => limits.signUp('2001:db8:0:7:ffff::1')).toThrow('Too many attempts');
  expect(() => limits.signUp('2001:0db8:0:7::1%eth0')).toThrow('Too many attempts');
  limits.signUp('2001:db8:0:8::1');
});
