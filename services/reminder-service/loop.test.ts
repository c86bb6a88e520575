import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test';
import { createLog } from '#shared/log';
import { createLoop } from './loop.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function start({ wait = 5000 } = {}) {
  const lines: string[] = [];
  const log = createLog('test', { write: (line) => lines.push((JSON.parse(line) as { message: string }).message) });
  const state = { wait, runs: 0, work: async () => {} };
  const loop = createLoop({
    name: 'test',
    runOnce: () => (state.runs++, state.work()),
    waitMs: () => state.wait,
    log,
  });
  loop.start();
  return { loop, state, lines };
}

/** Lets `ms` pass and everything that follows from it happen. */
async function pass(ms: number) {
  jest.advanceTimersByTime(ms);
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

describe('loop', () => {
  test('runs at once and then as often as it is told', async () => {
    const { loop, state } = start();
    await pass(0);
    expect(state.runs).toBe(1);
    await pass(4999);
    expect(state.runs).toBe(1);
    await pass(1);
    expect(state.runs).toBe(2);
    await loop.stop();
  });

  test('runs earlier when woken to something nearer', async () => {
    const { loop, state } = start();
    await pass(0);
    state.wait = 10;
    loop.wake();
    await pass(10);
    expect(state.runs).toBe(2);
    await loop.stop();
  });

  test('never runs twice at a time', async () => {
    const { loop, state } = start();
    const { promise, resolve } = Promise.withResolvers<void>();
    state.work = () => promise;
    await pass(0);
    loop.wake();
    await pass(60_000);
    expect(state.runs).toBe(1);
    resolve();
    await pass(0);
    await pass(5000);
    expect(state.runs).toBe(2);
    await loop.stop();
  });

  test('tries again after a second, also when woken all the time, and logs the change once', async () => {
    const { loop, state, lines } = start({ wait: 0 });
    state.work = () => Promise.reject(new Error('database down'));
    await pass(0);
    for (let i = 0; i < 40; i++) {
      loop.wake();
      await pass(100);
    }
    expect(state.runs).toBe(5);
    state.work = async () => {};
    await pass(1000);
    expect(lines).toEqual(['loop fails and is tried again', 'loop works again']);
    await loop.stop();
  });

  test('stops after the run in hand', async () => {
    const { loop, state } = start();
    const { promise, resolve } = Promise.withResolvers<void>();
    state.work = () => promise;
    await pass(0);
    const stopped = loop.stop();
    resolve();
    await stopped;
    await pass(60_000);
    expect(state.runs).toBe(1);
  });
});
