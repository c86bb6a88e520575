import { expect, test } from 'bun:test';
import { seeded } from './random.ts';
import { steps } from './random-faults.ts';

const plan = (seed: number) => steps(seeded(seed)).take(200).toArray();

test('the same seed plans the same faults, another one others', () => {
  expect(plan(7)).toEqual(plan(7));
  expect(plan(8)).not.toEqual(plan(7));
});

test('a plan has every fault on every replica', () => {
  const pairs = new Set(plan(7).map(({ fault, replica }) => `${fault} ${replica}`));
  expect(pairs.size).toBe(14);
});
