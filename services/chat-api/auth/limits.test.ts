import { describe, expect, test } from 'bun:test';
import { ApiError } from '#shared/errors';
import { createLimits } from './limits.ts';

const MINUTE = 60_000;
const wrong = () => Promise.reject(new ApiError(401, 'INVALID_CREDENTIALS', 'wrong'));
const caller = { address: '198.51.100.1', email: 'a@example.com' };

function setUp() {
  const clock = { now: 0 };
  const limits = createLimits({ loginFailures: 2, addressAttempts: 5, now: () => clock.now });
  return { clock, limits };
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  );

describe('countFailure', () => {
  test('refuses an account after its failures, and says for how long', async () => {
    const { clock, limits } = setUp();
    for (let failures = 0; failures < 2; failures++) await codeOf(limits.countFailure(caller, wrong));
    clock.now = MINUTE;
    const refusal = await limits.countFailure(caller, async () => 'right').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 429, code: 'RATE_LIMITED', headers: { 'retry-after': '240' } });
    clock.now = 5 * MINUTE;
    expect(await limits.countFailure(caller, async () => 'right')).toBe('right');
  });

  test('lets attempts at the same time pass no more than one after another', async () => {
    const { limits } = setUp();
    const codes = await Promise.all(Array.from({ length: 4 }, () => codeOf(limits.countFailure(caller, wrong))));
    expect(codes).toEqual(['INVALID_CREDENTIALS', 'INVALID_CREDENTIALS', 'RATE_LIMITED', 'RATE_LIMITED']);
  });

  test('blames nobody for a database that is away', async () => {
    const { limits } = setUp();
    for (let i = 0; i < 9; i++) await codeOf(limits.countFailure(caller, () => Promise.reject(new Error('away'))));
    expect(await codeOf(limits.countFailure(caller, wrong))).toBe('INVALID_CREDENTIALS');
  });

  test('counts an address over all accounts', async () => {
    const { limits } = setUp();
    const { address } = caller;
    for (let i = 0; i < 5; i++) await codeOf(limits.countFailure({ address, email: `${i}@example.com` }, wrong));
    expect(await codeOf(limits.countFailure({ address, email: 'new@example.com' }, wrong))).toBe('RATE_LIMITED');
    expect(() => limits.countAttempt(address)).toThrow('Too many attempts');
  });
});

test('countAttempt counts what succeeds too, for a minute', () => {
  const { clock, limits } = setUp();
  for (let i = 0; i < 5; i++) limits.countAttempt('198.51.100.2');
  expect(() => limits.countAttempt('198.51.100.2')).toThrow('Too many attempts');
  clock.now = MINUTE;
  limits.countAttempt('198.51.100.2');
});

test('an IPv6 caller is counted by its /64, of which every address is theirs', () => {
  const { limits } = setUp();
  for (let i = 0; i < 5; i++) limits.countAttempt(`2001:db8:0:7::${i}`);
  expect(() => limits.countAttempt('2001:db8:0:7:ffff::1')).toThrow('Too many attempts');
  expect(() => limits.countAttempt('2001:0db8:0:7::1%eth0')).toThrow('Too many attempts');
  limits.countAttempt('2001:db8:0:8::1');
});
