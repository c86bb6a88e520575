import { expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { createWheel } from './wheel.ts';

test('beats each entry once a period, not all together, and not those that were taken off', async () => {
  const beats: { entry: number; at: number }[] = [];
  const wheel = createWheel<number>(500, (entry) => void beats.push({ entry, at: performance.now() }));
  const entries = Array.from({ length: 10 }, (_, n) => n);
  for (const entry of entries) wheel.add(entry);
  wheel.delete(3);
  await eventually(() => beats.filter(({ entry }) => entry === 0).length === 2);
  wheel.stop();
  const first = beats.slice(0, 9);
  expect(first.map(({ entry }) => entry)).toEqual(entries.filter((entry) => entry !== 3));
  expect((first.at(-1)?.at ?? 0) - (first[0]?.at ?? 0)).toBeGreaterThan(20);
});
