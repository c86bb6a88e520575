import { expect, test } from 'bun:test';
import { untilFull } from './patience.ts';

/** Reads these counts one after the other, then the last one for ever. */
const reading = (...counts: number[]) => {
  const read = async () => (counts.length > 1 ? (counts.shift() ?? 0) : (counts[0] ?? 0));
  return untilFull(read, { missing: (count) => count, ms: 30, everyMs: 10 });
};

test('reads on for as long as less and less is missing', async () => {
  expect(await reading(9, 8, 7, 6, 5, 4, 3, 2, 1, 0)).toBe(0);
});

test('gives up when no more comes', async () => {
  expect(await reading(9, 4)).toBe(4);
});

test('more that is missing is no progress', async () => {
  expect(await reading(3, 4, 5, 4)).toBe(4);
});
