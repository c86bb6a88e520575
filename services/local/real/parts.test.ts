import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runToEnd } from '../../../test/support/command.ts';

const root = join(import.meta.dir, '../../..');
const tools = {
  go: 'echo taskflow.test/daprd',
  java: `echo 'openjdk version "17.0.15" 2025-04-15' >&2`,
  mvn: 'true',
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskflow-tools-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const missing = (who: string) => `${who} need Go, Java 17 and Maven: install what is missing (go, java, mvn).\n`;

describe('without Go, Java and Maven ends in one sentence', () => {
  test.each([
    ['bun run check:real', 'test/check.ts --real', 'The real parts'],
    ['bun run bench --real', 'test/bench/run.ts --real', 'The real parts'],
    ['bun run drills', 'test/drills/run.ts', 'The real parts'],
    ['bun run check:gitops', 'test/gitops/run.ts', 'The parts of check:gitops'],
    ['bun run check:argocd', 'test/argocd/run.ts', 'The parts of check:gitops'],
  ])('%s', async (_name, command, who) => {
    expect(await run(command, {})).toEqual({ out: '', err: missing(who), exitCode: 2 });
  });

  test.each([
    ['test/check.ts --real', 'The real parts'],
    ['test/gitops/run.ts', 'The parts of check:gitops'],
  ])('in CI as a failure, since it would leave them untested: %s', async (command, who) => {
    expect(await run(command, {}, { CI: 'true' })).toEqual({ out: '', err: missing(who), exitCode: 1 });
  });
});

test.each([
  [
    'Java',
    { ...tools, java: `echo 'openjdk version "11.0.2" 2019-01-15' >&2` },
    'The real parts need Java 17 or newer, and java says: openjdk version "11.0.2" 2019-01-15\n',
  ],
  [
    'Go',
    { ...tools, go: `echo 'go: go.mod requires go >= 1.26.5 (running go 1.21.0; GOTOOLCHAIN=local)' >&2; exit 1` },
    'The real parts need a newer Go, or one that may fetch it: go: go.mod requires go >= 1.26.5 (running go 1.21.0; GOTOOLCHAIN=local)\n',
  ],
])('with too old a %s they end in one sentence as well', async (_name, old, err) => {
  expect(await run('test/check.ts --real', old)).toEqual({ out: '', err, exitCode: 2 });
});

/** On a machine that has only these programs, shell scripts. */
async function run(command: string, programs: Partial<typeof tools>, more = { CI: '' }) {
  const bin = await mkdtemp(join(folder, 'bin-'));
  for (const [name, script] of Object.entries(programs)) {
    await Bun.write(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const environment = { PATH: bin, TASKFLOW_CACHE: join(folder, 'cache'), ...more };
  return runToEnd([process.execPath, ...command.split(' ')], environment, { cwd: root });
}
