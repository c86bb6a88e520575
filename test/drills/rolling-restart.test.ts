import { expect, test } from 'bun:test';
import { mostWithin } from './rolling-restart.ts';

test('counts the most times within any second, wherever it begins', () => {
  expect(mostWithin(1000, [])).toBe(0);
  expect(mostWithin(1000, [0, 1000, 2000])).toBe(1);
  expect(mostWithin(1000, [0, 900, 1100, 1899, 1900, 4000])).toBe(3);
});
