import { expect, test } from 'bun:test';
import { untilFull } from './patience.ts';

/** Reads what this says is missing, by a clock of its own. @returns the last of it, and after how many seconds that was */
async function reading(missingAt: (second: number) => number) {
  let ms = 0;
  const last = await untilFull(async () => missingAt(ms / 1000), {
    ...{ missing: (count: number) => count, ms: 20_000, atMostMs: 200_000 },
    now: () => ms,
    pause: async (pauseMs) => void (ms += pauseMs),
  });
  return { last, seconds: ms / 1000 };
}

test('reads on for as long as less and less is missing', async () => {
  expect(await reading((second) => Math.max(0, 1000 - 10 * second))).toEqual({ last: 0, seconds: 100 });
});

test('gives up when for a while no more has come', async () => {
  expect(await reading((second) => Math.max(4, 9 - second))).toEqual({ last: 4, seconds: 25.5 });
});

test('more that is missing, and then less again, is no progress', async () => {
  expect(await reading((second) => (second % 1 === 0 ? 4 : 5))).toMatchObject({ seconds: 20.5 });
});

test('does not wait for ever for what comes one by one', async () => {
  expect(await reading((second) => 1000 - Math.floor(second / 19))).toMatchObject({ seconds: 200.5 });
});
