import { afterEach, expect, jest, test } from 'bun:test';
import { createLog } from '#shared/log';
import { createTick } from './tick.ts';

afterEach(() => void jest.useRealTimers());

/** A tick whose runs end when the test says so. */
function tickEvery(everyMs: number) {
  const lines: string[] = [];
  const runs: PromiseWithResolvers<void>[] = [];
  const log = createLog('recurring-task-processor', { write: (line) => lines.push(JSON.parse(line).message) });
  const runOnce = () => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  };
  jest.useFakeTimers();
  return { lines, runs, ...createTick({ runOnce, everyMs, log }) };
}

/** Lets what follows a settled promise happen. */
const settle = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

test('the first run begins at once, the next a pause after its end, never two at a time', async () => {
  const { runs, start, stop } = tickEvery(300_000);
  start();
  expect(runs).toHaveLength(1);
  jest.advanceTimersByTime(900_000);
  expect(runs).toHaveLength(1);
  runs[0]?.resolve();
  await settle();
  jest.advanceTimersByTime(299_999);
  expect(runs).toHaveLength(1);
  jest.advanceTimersByTime(1);
  expect(runs).toHaveLength(2);
  runs[1]?.resolve();
  await stop();
});

test('a failed run is repeated soon; that it fails and that it works again is logged once', async () => {
  const { runs, lines, start, stop } = tickEvery(300_000);
  start();
  for (let i = 0; i < 3; i++) {
    runs[i]?.reject(new Error('no sidecar'));
    await settle();
    jest.advanceTimersByTime(10_000);
  }
  expect(runs).toHaveLength(4);
  runs[3]?.resolve();
  await settle();
  expect(lines).toEqual(['run failed, tried again', 'runs succeed again']);
  await stop();
});

test('stop waits for the run in hand and begins no other', async () => {
  const { runs, start, stop } = tickEvery(1000);
  start();
  let isStopped = false;
  const stopped = stop().then(() => (isStopped = true));
  await settle();
  expect(isStopped).toBe(false);
  runs[0]?.resolve();
  await stopped;
  jest.advanceTimersByTime(10_000);
  expect(runs).toHaveLength(1);
});
