import { expect, test } from 'bun:test';
import { gatherMs } from './pace.ts';

test.each([
  ['what came alone keeps the next one for a moment', 1, 100, 3],
  ['several keep it longer', 3, 100, 9],
  ['many no longer than 10 ms', 99, 100, 10],
  ['behind a full claim there is more already', 100, 100, 0],
  ['a probe is full with one', 1, 1, 0],
  ['none keeps nobody', 0, 100, 0],
])('%s', (_what, claimed, limit, ms) => {
  expect(gatherMs(claimed, limit)).toBe(ms);
});
