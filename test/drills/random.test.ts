import { expect, test } from 'bun:test';
import { seeded, shuffled } from './random.ts';

const items = Array.from({ length: 20 }, (_, i) => i);
const order = (seed: number) => shuffled(items, seeded(seed));

test('gives the same order for the same seed, another for another, and each item once', () => {
  expect(order(7)).toEqual(order(7));
  expect(order(7)).not.toEqual(order(8));
  expect(order(7).toSorted((a, b) => a - b)).toEqual(items);
});
