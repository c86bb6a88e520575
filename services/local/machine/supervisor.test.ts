import { expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { keepRunning } from './supervisor.ts';
import { spawnProgram } from './child.ts';

const program = (name: string) => `${import.meta.dir}/fixtures/${name}`;
const environment = { PATH: process.env.PATH ?? '' };

test('starts a killed process again, after a pause', async () => {
  const pauses: number[] = [];
  const lines: string[] = [];
  const start = () => spawnProgram(program('stays.ts'), environment, { onLine: (line) => lines.push(line) });
  const kept = keepRunning(start(), start, (pauseMs) => pauses.push(pauseMs));
  const first = await eventually(() => lines.length === 1 && kept.pid());
  process.kill(first, 'SIGKILL');
  const second = await eventually(() => lines.length === 2 && kept.pid());
  await kept.stop();

  expect(second).not.toBe(first);
  expect(pauses).toEqual([200]);
  expect(kept.pid()).toBeUndefined();
});

test('pauses longer after each crash and stops in the middle of a pause', async () => {
  const pauses: number[] = [];
  const crash = () => ({ pid: 1, exited: Promise.resolve(1), stop: async () => {} });
  const kept = keepRunning(crash(), crash, (pauseMs) => pauses.push(pauseMs));
  await eventually(() => pauses.length === 3);
  await kept.stop();

  expect(pauses).toEqual([200, 400, 800]);
});

test('restart starts it again at once, and is no crash', async () => {
  const pauses: number[] = [];
  const lines: string[] = [];
  const start = () => spawnProgram(program('stays.ts'), environment, { onLine: (line) => lines.push(line) });
  const kept = keepRunning(start(), start, (pauseMs) => pauses.push(pauseMs));
  const first = await eventually(() => lines.length === 1 && kept.pid());
  await kept.restart();
  const second = await eventually(() => lines.length === 2 && kept.pid());
  await kept.stop();

  expect(second).not.toBe(first);
  expect(pauses).toEqual([]);
});

test('restart cuts the pause after a crash short, and the next one is the first again', async () => {
  const pauses: number[] = [];
  let isMended = false;
  const end = Promise.withResolvers<void>();
  const crash = () => ({ pid: 1, exited: Promise.resolve(1), stop: async () => {} });
  const well = { pid: 2, exited: end.promise, stop: async () => end.resolve() };
  const kept = keepRunning(
    crash(),
    () => (isMended ? well : crash()),
    (pauseMs) => pauses.push(pauseMs),
  );
  await eventually(() => pauses.length === 2);
  isMended = true;
  await kept.restart();
  await eventually(() => kept.pid() === 2, { ms: 300 }); // the pause would have been of 400 ms
  await kept.stop();

  expect(pauses).toEqual([200, 400]);
});

test('counts a restart that fails as one more crash', async () => {
  const end = Promise.withResolvers<void>();
  const attempts = [
    () => Promise.reject(new Error('port taken')),
    async () => ({ ...dead, pid: 2, exited: end.promise }),
  ];
  const dead = { pid: 1, exited: Promise.resolve(9), stop: async () => end.resolve() };
  const reasons: unknown[] = [];
  const kept = keepRunning(
    dead,
    () => attempts.shift()?.() ?? dead,
    (_pauseMs, reason) => reasons.push(reason),
  );
  await eventually(() => kept.pid() === 2);
  await kept.stop();

  expect(reasons).toEqual([9, new Error('port taken')]);
});

test('a process that ignores SIGTERM is killed at its limit', async () => {
  const lines: string[] = [];
  const child = spawnProgram(program('stubborn.ts'), environment, { onLine: (line) => lines.push(line), limitMs: 100 });
  await eventually(() => lines.length === 1);
  const from = performance.now();
  await child.stop();
  expect(performance.now() - from).toBeGreaterThanOrEqual(99);
});
