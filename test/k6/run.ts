import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bypassProxy } from '#shared/loopback';
import { bun, commandOrExit, createProgress, exitWith } from '../../services/local/machine/command-line.ts';
import { Refusal } from '../../services/local/machine/refusal.ts';
import { startCluster, temporaryFolder } from '../support/cluster.ts';
import { buildK6 } from '../support/k6/build.ts';
import { perform, type Performed, realOnPath, runner } from './perform.ts';
import { commandsOf, sizes } from './commands.ts';
import { startWorld, type World } from './world.ts';

// bun run check:k6: every command of k6/README.md as it is typed there, at small size, on the running services: by what stands in
// for k6 and by Grafana's own. One after the other, so that nothing else disturbs a threshold. The last line is the verdict.

bypassProxy(process.env);
const say = createProgress();
commandOrExit({
  name: 'check:k6',
  usage: `${bun} run check:k6

  runs each command of k6/README.md at small size on the running services, by what stands in
  for Grafana k6 and, where it is installed or Go can build it, by k6 itself

The last line is the count; the exit code is 0 when nothing failed.`,
  flags: {},
});

try {
  process.exit(await checkAll());
} catch (error) {
  exitWith(error);
}

async function checkAll(): Promise<number> {
  const folder = await temporaryFolder();
  const programs = [
    { name: 'stand-in', path: await shim(folder, 'stand-in', runner) },
    { name: 'Grafana k6', path: await real(folder) },
  ];
  const cluster = await startCluster(process.env.TEST_DATABASE_URL);
  Object.assign(process.env, cluster.environment);
  const count = { passed: 0, failed: 0, skipped: 0 };
  try {
    const commands = await commandsOf('k6/README.md');
    const world = await startWorld(folder);
    try {
      for (const { name, path } of programs) {
        for (const command of commands) {
          const verdict = path === undefined ? 'skipped' : await check(world, name, path, command);
          count[verdict]++;
        }
      }
    } finally {
      await world.stop();
    }
  } finally {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  return count.failed > 0 ? 1 : 0;
}

/** Types it into a shell that finds k6 at `path`. */
async function check(world: World, name: string, path: string, command: string): Promise<'passed' | 'failed'> {
  const script = /k6\/(\w+)\.ts/.exec(command)?.[1] ?? '';
  const what = `${name}: ${command.replace(/ +#.*/, '')}`;
  const from = performance.now();
  const settings = { ...world.settings, ...sizes[script], PATH: `${path}:${process.env.PATH}` };
  const once = async () => {
    const meanwhile = script === 'rollback' ? world.rollBackAndForward() : undefined;
    const [performed] = await Promise.all([perform(['bash', '-c', command], settings), meanwhile]);
    await world.settled();
    return performed;
  };
  let performed = await once();
  if (isOnlySlow(performed)) {
    say(`again, since a neighbour may have had the machine: ${what}: ${performed.failed.join(', ')}`);
    performed = await once();
  }
  const { exitCode, thresholds, failed, said } = performed;
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  const isGood = exitCode === 0 && thresholds.length > 0;
  say(
    `${isGood ? 'ok' : 'FAILED'}  ${what}  ${thresholds.length - failed.length} of ${thresholds.length}, ${seconds} s`,
  );
  if (!isGood) say(`exit code ${exitCode}\n${linesOf(said)}`);
  return isGood ? 'passed' : 'failed';
}

/** What k6 says, without the picture of its progress. */
function linesOf(said: string): string {
  const lines = said.split('\n').filter((line) => /^  (ok|FAILED) |^(time|\w*Error|\w+:)/.test(line));
  return lines.slice(-60).join('\n');
}

/** Whether nothing failed but what a busy machine makes fail. What is lost, wrong or refused has no second chance. */
function isOnlySlow({ failed }: Performed): boolean {
  return (
    failed.length > 0 &&
    failed.every((threshold) => /latency|lateness|duration|dropped_iterations|http_reqs/.test(threshold))
  );
}

/** A folder for the PATH in which this program is called k6. */
async function shim(folder: string, name: string, program: string[]): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  const [first = '', ...rest] = program;
  if (rest.length === 0) await symlink(first, join(path, 'k6'));
  else {
    const words = program.map((word) => Bun.$.escape(word)).join(' ');
    await writeFile(join(path, 'k6'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }
  return path;
}

/** Grafana's own, if it can be had. In CI it must be: else what it is for would be left out without a word. */
async function real(folder: string): Promise<string | undefined> {
  try {
    return await shim(folder, 'real', realOnPath() ?? [await buildK6(say)]);
  } catch (error) {
    if (!(error instanceof Refusal) || process.env.CI === 'true') throw error;
    say(error.message);
    return undefined;
  }
}
