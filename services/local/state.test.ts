import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../test/support/wait.ts';
import { commandOf } from './processes.ts';
import { openState, readRunning, removeState, stateFolder } from './state.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'taskflow-state-')), 'state');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('openState', () => {
  test('keeps the secrets of the first time, for their owner alone', () => {
    const first = openState(folder);
    first.release();
    const second = openState(folder);
    expect(second.secrets).toEqual(first.secrets);
    expect([mode(folder), mode(join(folder, 'secrets.json'))]).toEqual(['700', '600']);
  });

  test('makes secrets that the services accept, each its own', () => {
    const { databasePasswords, demo, ...keys } = openState(folder).secrets;
    const all = [...Object.values(keys), ...Object.values(databasePasswords)];
    expect(new Set(all).size).toBe(10);
    for (const secret of all) expect(secret.length).toBeGreaterThanOrEqual(32);
    expect(demo.password).toMatch(/^(?=.*[A-Z])(?=.*\d).{8,72}$/);
  });

  test('takes the place of an up that was killed', () => {
    openState(folder);
    writeFileSync(join(folder, 'up.pid'), '999999999');
    expect(() => openState(folder)).not.toThrow();
  });

  test('says in one sentence that the folder is in use', async () => {
    openState(folder).release();
    await using other = await sleepingUp();
    writeFileSync(join(folder, 'up.pid'), String(other.pid));
    expect(() => openState(folder)).toThrow(`TaskFlow already runs on ${folder} (process ${other.pid})`);
    expect(() => removeState(folder)).toThrow('already runs');
  });

  test('says in one sentence that the folder cannot be', () => {
    writeFileSync(folder, 'a file in the way');
    expect(() => openState(folder)).toThrow('is not writable: name another one in TASKFLOW_STATE');
  });
});

test('removeState takes away what up keeps and nothing else', () => {
  openState(folder).release();
  writeFileSync(join(folder, 'mine.txt'), '');
  removeState(folder);
  expect(readdirSync(folder)).toEqual(['mine.txt']);
});

test('readRunning refuses when nothing runs', () => {
  expect(() => readRunning(folder)).toThrow('Nothing is running here');
});

test('stateFolder is TASKFLOW_STATE, or .taskflow in the project', () => {
  expect(stateFolder({ TASKFLOW_STATE: '/x/y' })).toBe('/x/y');
  expect(stateFolder({})).toEndWith('/.taskflow');
});

/** A process whose command line is that of `up`. */
async function sleepingUp() {
  const child = Bun.spawn([process.execPath, '-e', 'setInterval(() => {}, 60_000)', 'services/local/up.ts']);
  await eventually(() => commandOf(child.pid).includes('up.ts')); // Linux shows it a moment after the process has begun
  return child;
}
