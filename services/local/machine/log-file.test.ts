import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../test/support/wait.ts';
import { openLogFile } from './log-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskflow-log-'));
  path = join(folder, 'a.log');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const linesOf = async (file: string) => (await Bun.file(file).text()).split('\n').filter((line) => line !== '');

test('a log file is begun anew when it is too long, also while its program runs, and the one before is kept', async () => {
  const write = openLogFile(path, 1000);
  const lines = Array.from({ length: 25 }, (_, i) => `${i} `.padEnd(99, 'x'));
  for (const line of lines) write(line);
  await eventually(async () => (await linesOf(path)).length === 3, { what: 'its last lines' });
  expect(await linesOf(path)).toEqual(lines.slice(22));
  await eventually(async () => (await linesOf(`${path}.1`)).length === 11, { what: 'those before' });
  expect(await linesOf(`${path}.1`)).toEqual(lines.slice(11, 22));
});

test('a log file goes on at the next start, or is set aside by then', async () => {
  await Bun.write(path, 'before\n');
  openLogFile(path, 1000)('after');
  await eventually(async () => (await linesOf(path)).length === 2, { what: 'both lines' });

  await Bun.write(path, 'x'.repeat(1001));
  openLogFile(path, 1000)('anew');
  await eventually(async () => (await linesOf(path))[0] === 'anew', { what: 'the new file' });
  expect(await Bun.file(`${path}.1`).text()).toBe('x'.repeat(1001));
});
