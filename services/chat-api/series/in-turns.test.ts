import { expect, test } from 'bun:test';
import { inTurns } from './in-turns.ts';

test('inTurns gives the event loop back after each fifth item', async () => {
  let turns = 0;
  let turning = setImmediate(function turn() {
    turns += 1;
    turning = setImmediate(turn);
  });
  const seen = await inTurns([...Array(100).keys()], (item) => [item, turns] as const);
  clearImmediate(turning);
  expect(seen.map(([item]) => item)).toEqual([...Array(100).keys()]);
  expect(new Set(seen.map(([, turn]) => turn)).size).toBe(20);
});
