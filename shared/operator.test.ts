import { expect, test } from 'bun:test';
import { operatorName } from './operator.ts';

/** As the system says it; the tests' own account may have any name, or none. */
const account = Bun.spawnSync(['id', '-un']).stdout.toString().trim();
const NAMELESS = 2_000_000_001;

test('an operator is the system account, whatever the environment says of it', () => {
  const before = process.env.USER;
  process.env.USER = 'mallory';
  expect(operatorName('')).toBe(account);
  if (before === undefined) delete process.env.USER;
  else process.env.USER = before;
});

test('what OPERATOR says stands beside the account, never in its place', () => {
  expect(operatorName('olga')).toBe(`${account} (olga)`);
});

test('an account without a name is its number', () => {
  expect(operatorName('', NAMELESS)).toBe(`uid ${NAMELESS}`);
  expect(operatorName('olga', NAMELESS)).toBe(`uid ${NAMELESS} (olga)`);
});
