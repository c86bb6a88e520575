import { describe, expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { isAlive } from './processes.ts';
import { answers, spawnCommand, spawnProgram, untilReady } from './child.ts';

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

describe('waiting for a child', () => {
  const never = () => Promise.reject(new Error('no answer'));

  test('that ends first fails at once, with what it said last', async () => {
    const says = 'for (let i = 1; i <= 25; i++) console.error(i); process.exit(3)';
    const child = spawnCommand([process.execPath, '-e', says], environment, { onLine: () => {} });
    const last = Array.from({ length: 20 }, (_, i) => i + 6).join('\n');
    await expect(untilReady(child, { name: 'the broker', ms: 20_000, probe: never })).rejects.toThrow(
      `the broker ended with 3 while it started:\n${last}`,
    );
  });

  test('that does not get ready fails at the limit and kills it', async () => {
    const child = await spawn('stubborn.ts');
    await expect(untilReady(child, { name: 'the broker', ms: 100, probe: never })).rejects.toThrow(
      'the broker was not ready within 0.1 s:\nrunning',
    );
    expect(isAlive(child.pid)).toBe(false);
  });

  test('ends when it is ready', async () => {
    const child = await spawn('stays.ts');
    let asked = 0;
    const second = async () => {
      if (++asked < 2) throw new Error('not yet');
    };
    expect(await untilReady(child, { name: 'the broker', ms: 20_000, probe: second })).toBe(child);
    await child.stop();
  });
});

test('what nobody needs any more is not ready', async () => {
  await expect(answers('http://127.0.0.1:1/', 20_000, () => false)).rejects.toThrow('was not ready after 0.0 s');
});
