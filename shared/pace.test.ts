import { expect, test } from 'bun:test';
import { createPace } from './pace.ts';

test('createPace lets a burst pass, spaces out the rest, and keeps nobody longer than it says', () => {
  const waitOf = createPace({ perSecond: 100, burst: 3, mostMs: 40 });
  const waits = (now: number, count: number) => Array.from({ length: count }, () => waitOf(now));
  expect(waits(0, 9)).toEqual([0, 0, 0, 10, 20, 30, 40, 40, 40]);
  expect(waits(25, 2)).toEqual([25, 35]);
  expect(waits(1000, 4)).toEqual([0, 0, 0, 10]);
});
