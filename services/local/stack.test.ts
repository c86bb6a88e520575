import { expect, test } from 'bun:test';
import { eventually } from '../../test/support/wait.ts';
import { isAlive } from './processes.ts';
import { spawnProgram } from './stack.ts';

const program = (name: string) => `${import.meta.dir}/fixtures/${name}`;
const environment = { PATH: process.env.PATH ?? '' };

async function spawn(name: string) {
  const lines: string[] = [];
  const child = spawnProgram(program(name), environment, { onLine: (line) => lines.push(line) });
  await eventually(() => lines.length === 1);
  return child;
}

test('a child is killed at once, also one that ignores SIGTERM', async () => {
  const child = await spawn('stubborn.ts');
  await child.kill();
  expect(isAlive(child.pid)).toBe(false);
});

test('stopping or killing a child that has ended by itself is no error', async () => {
  const child = await spawn('stays.ts');
  process.kill(child.pid, 'SIGKILL');
  await child.exited;
  await child.kill();
  await child.stop();
});
