import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test';
import { createLog } from './log.ts';
import { createBell } from './bell.ts';
import { createLoop, type Job } from './loop.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A loop whose runs end when the test says so. */
function start(pace: Pick<Job, 'everyMs' | 'retryMs'>) {
  const lines: string[] = [];
  const runs: (PromiseWithResolvers<void> & { stopping: AbortSignal })[] = [];
  const log = createLog('test', {
    write(line) {
      const { level, message } = JSON.parse(line) as { level: string; message: string };
      lines.push(`${level} ${message}`);
    },
  });
  const runOnce = (stopping: AbortSignal) => {
    const run = { ...Promise.withResolvers<void>(), stopping };
    runs.push(run);
    return run.promise;
  };
  const bell = createBell();
  const loop = createLoop({ name: 'test', runOnce, bell, ...pace }, log);
  loop.start();
  return {
    ...loop,
    wake: bell.ring,
    lines,
    runs,
    async succeed() {
      runs.at(-1)?.resolve();
      await settle();
    },
    async fail(error: Error = new Error('a bug')) {
      runs.at(-1)?.reject(error);
      await settle();
    },
  };
}

/** Lets what follows a settled promise happen. */
async function settle() {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

async function pass(ms: number) {
  jest.advanceTimersByTime(ms);
  await settle();
}

describe('a loop', () => {
  test('runs at once, then a pause after the end of each run, never two at a time', async () => {
    const { runs, succeed, stop } = start({ everyMs: 5000 });
    expect(runs).toHaveLength(1);
    await pass(60_000);
    expect(runs).toHaveLength(1);
    await succeed();
    await pass(4999);
    expect(runs).toHaveLength(1);
    await pass(1);
    expect(runs).toHaveLength(2);
    await succeed();
    await stop();
  });

  test('asks after each run how long to wait, and runs again at once when woken', async () => {
    let wait = 5000;
    const { runs, succeed, wake, stop } = start({ everyMs: () => wait });
    await succeed();
    wait = 10;
    await pass(10);
    expect(runs).toHaveLength(1);
    wake();
    await settle();
    expect(runs).toHaveLength(2);
    wake(); // in the middle of a run
    await pass(60_000);
    expect(runs).toHaveLength(2);
    await succeed();
    expect(runs).toHaveLength(3);
    await succeed();
    await pass(9);
    expect(runs).toHaveLength(3);
    await pass(1);
    expect(runs).toHaveLength(4);
    await succeed();
    await stop();
  });
});

describe('a failing loop', () => {
  test('is tried again after a second, also when woken all the time, and says once that it fails and recovers', async () => {
    const { runs, lines, fail, succeed, wake, stop } = start({ everyMs: () => 0 });
    for (let i = 0; i < 40; i++) {
      await fail();
      wake();
      await pass(100);
    }
    expect(runs).toHaveLength(5);
    await succeed();
    expect(lines).toEqual(['error loop degraded', 'info loop recovered']);
    expect(runs).toHaveLength(6); // for the rings meanwhile
    await succeed();
    await stop();
  });

  test('is tried again after its own pause, or sooner when it always runs more often', async () => {
    for (const [everyMs, retryMs, soon] of [
      [300_000, 10_000, 10_000],
      [200, 1000, 200],
    ] as const) {
      const { runs, fail, succeed, stop } = start({ everyMs, retryMs });
      await fail();
      await pass(soon - 1);
      expect(runs).toHaveLength(1);
      await pass(1);
      expect(runs).toHaveLength(2);
      await succeed();
      await stop();
    }
  });

  test('warns of what passes by itself, an error is what does not', async () => {
    const { lines, fail, stop } = start({ everyMs: 1000 });
    await fail(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    expect(lines).toEqual(['warn loop degraded']);
    await stop();
  });
});

describe('stop', () => {
  test('tells the run in hand, waits for it and begins no other', async () => {
    const { runs, succeed, stop, wake } = start({ everyMs: 1000 });
    let isStopped = false;
    const stopped = stop().then(() => (isStopped = true));
    await settle();
    expect({ isStopped, aborted: runs[0]?.stopping.aborted }).toEqual({ isStopped: false, aborted: true });
    await succeed();
    await stopped;
    wake();
    await pass(60_000);
    expect(runs).toHaveLength(1);
  });

  test('gives up on a run that does not end', async () => {
    const { lines, stop } = start({ everyMs: 1000 });
    const stopped = stop();
    await pass(5000);
    await stopped;
    expect(lines).toEqual(['warn loop stopped with a run under way']);
  });
});
