import { Glob } from 'bun';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { bypassProxy } from '#shared/loopback';
import { commandOrExit, bun, createProgress } from '../services/local/machine/command-line.ts';
import { wantsColours } from '../services/local/machine/terminal.ts';
import { readReport, type Totals } from './junit.ts';
import { startCluster, temporaryFolder } from './support/cluster.ts';

// bun test/check.ts [--tests-only] [--real] [--page] [--only <name>] [--inspect] [paths…]: all that must be green before a commit. The last line is the verdict,
// `N passed, N failed, N skipped`; a type or format error counts as failed; the exit code says the same.
// --real: the tests of the whole, on daprd and Kafka in place of the stand-in; they are built first if need be.
// --page: the page in a real browser, which is installed first if need be.

/** Where the tests are that need a browser, and those that the real parts must pass as well. */
const PAGE = 'test/page';
const OF_THE_WHOLE = ['test/up', 'test/flow', 'test/outage', 'test/conformance'];

/** Files of tests at once: they wait half of their time. Those with a browser of their own take memory, too. */
const AT_ONCE = availableParallelism() + 1;
const BROWSERS_AT_ONCE = Math.min(AT_ONCE, 5);
/** Each has services, a broker and up to ten sidecars. */
const BROKERS_AT_ONCE = Math.min(availableParallelism(), 4);

bypassProxy(process.env);
const say = createProgress();
const flag = { type: 'boolean' } as const;
const { values, words: given } = commandOrExit({
  name: commandName(),
  usage: `${bun} run check [path …]
${bun} run test [path …]
${bun} run check:real [path …]
${bun} run check:page [path …]

  check       types, format and all tests, on a throw-away Postgres
  test        the tests alone
  check:real  the tests of the whole on Apache Kafka and Dapr's sidecars, built at the first time
              (needs Go, Java and Maven)
  check:page  the tests of the page in Chromium and Firefox: those of CHROME_PATH and FIREFOX_PATH or of this machine,
              else Debian's are installed
  path …      of the tests only those whose file has this in its path, or is it (./path)

  --only <name>  of these only the tests that have this in their name, a regular expression
  --inspect      waits for a debugger at the address that it prints; one file at a time, and without a time limit

  TEST_DATABASE_URL  use this Postgres instead: 15 or newer, a user that may create roles

The last line is the count; the exit code is 0 when nothing failed.`,
  flags: { real: flag, page: flag, 'tests-only': flag, only: { type: 'string' }, inspect: flag },
  refuse: (path) => (isTested(path) ? undefined : `No test file has ${path} in its path`),
});
const { real: isReal = false, page: isPage = false, only, inspect = false } = values;
const testsOnly = values['tests-only'] ?? (isReal || isPage);
const paths = given.length > 0 ? given : isReal ? OF_THE_WHOLE : isPage ? [PAGE] : [];
const needsBrowser = isPage || given.some((path) => path.includes(PAGE));
const how = [...pace(), ...(only === undefined ? [] : ['--test-name-pattern', only])];

if (isReal) await (await import('../services/local/real/parts.ts')).realPartsOrExit(say);
if (isPage) await (await import('./page/browsers.ts')).browsersOrExit(say);
const interrupt = catchSignals();
const totals = await check();
if (interrupt.exitCode) process.exit(interrupt.exitCode);
// Once more where one looks first: a log is long, and of many only its end is kept.
for (const failure of totals.failures) console.error(`failed: ${failure}`);
console.log(lineOf(totals));
process.exit(totals.failed > 0 ? 1 : 0);

function pace(): string[] {
  if (inspect) return ['--inspect-wait', '--timeout=0'];
  if (isReal) return [`--parallel=${BROKERS_AT_ONCE}`, '--timeout=60000'];
  if (needsBrowser) return [`--parallel=${BROWSERS_AT_ONCE}`, '--timeout=60000'];
  return [`--parallel=${AT_ONCE}`, '--timeout=60000', `--path-ignore-patterns=${PAGE}/**`];
}

function commandName(): string {
  const has = (name: string) => process.argv.includes(`--${name}`);
  return has('real') ? 'check:real' : has('page') ? 'check:page' : has('tests-only') ? 'test' : 'check';
}

/** Whether a file of tests is meant. `bun test` would say so only after types, format and the start of a Postgres. */
function isTested(path: string): boolean {
  const files = [...new Glob('{services,shared,db,test}/**/*.test.ts').scanSync('.')];
  if (!/^[./]/.test(path)) return files.some((file) => file.includes(path));
  const exact = relative('.', resolve(path));
  return files.some((file) => file === exact || file.startsWith(`${exact}/`));
}

async function check(): Promise<Totals> {
  const folder = await temporaryFolder();
  const [cluster, refused] = await Promise.allSettled([
    startCluster(process.env.TEST_DATABASE_URL),
    testsOnly ? 0 : countRefusals(),
  ]);
  try {
    if (cluster.status === 'rejected') throw cluster.reason;
    if (refused.status === 'rejected') throw refused.reason;
    say('Postgres runs, its templates are migrated');
    const environment = { ...cluster.value.environment, ...(isReal && { TASKFLOW_SIDECAR: 'real' }) };
    const totals = await runTests(environment, folder);
    return { ...totals, failed: totals.failed + refused.value };
  } catch (error) {
    say(Bun.inspect(error, { colors: wantsColours(process.stderr, process.env) }));
    return { passed: 0, failed: 1, skipped: 0, failures: [] };
  } finally {
    if (cluster.status === 'fulfilled') await cluster.value.stop();
    await rm(folder, { recursive: true, force: true });
    say('stopped, nothing left behind');
  }
}

async function runTests(environment: Record<string, string>, folder: string): Promise<Totals> {
  const junit = join(folder, 'junit.xml');
  const reporter = ['--reporter=junit', `--reporter-outfile=${junit}`];
  const exitCode = await run('bun test', ['test', ...how, ...reporter, ...paths], environment);
  const report = Bun.file(junit);
  const totals = readReport((await report.exists()) ? await report.text() : '');
  // A file that does not load, or a worker that dies, is in the exit code alone.
  return { ...totals, failed: Math.max(totals.failed, exitCode === 0 ? 0 : 1) };
}

async function countRefusals(): Promise<number> {
  // Alone, `bun check` and `bun fmt` would run the package scripts of those names.
  const results = [
    await run('types', ['check', '--no-script']),
    // What runs in a browser has its own names, and the services none of them.
    await run('types of the page', ['check', '--no-script', '-p', 'services/web/page']),
    await run('types of its workers', ['check', '--no-script', '-p', 'services/web/workers']),
    await run('format', ['fmt', '--no-script', '--check']),
    await refuseUrls(),
  ];
  return results.filter((exitCode) => exitCode !== 0).length;
}

/** Packages must be added under the default registry: any other writes its address into the lock file. */
async function refuseUrls(): Promise<number> {
  const lines = (await Bun.file('bun.lock').text()).split('\n');
  const urls = lines.filter((line) => /https?:\/\//.test(line));
  for (const line of urls) say(`bun.lock names a host: ${line.trim()}`);
  return urls.length > 0 ? 1 : 0;
}

/** Runs Bun in a process group of its own, so that an interruption ends the workers too. */
async function run(name: string, command: string[], environment: Record<string, string> = {}): Promise<number> {
  if (interrupt.exitCode) return interrupt.exitCode;
  const from = performance.now();
  const child = Bun.spawn([process.execPath, '--no-orphans', ...command], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 2, 2],
    detached: true,
  });
  interrupt.child = child;
  const exitCode = await child.exited;
  interrupt.child = undefined;
  say(`${name}: ${exitCode === 0 ? 'passed' : `exit code ${exitCode}`} in ${seconds(from)} s`);
  return exitCode;
}

function lineOf({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Ends what runs at the first signal; repeats mean nothing, since npx and `bun run` deliver one Ctrl-C twice. */
function catchSignals(): { exitCode?: number; child?: Bun.Subprocess | undefined } {
  const state: { exitCode?: number; child?: Bun.Subprocess | undefined } = {};
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      if (state.exitCode) return;
      state.exitCode = exitCode;
      say(`${signal}: stopping`);
      if (!state.child) return;
      const { pid } = state.child;
      process.kill(-pid, 'SIGTERM');
      setTimeout(() => killGroup(pid), 3000).unref();
    });
  }
  return state;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The whole group has ended in time.
  }
}

function seconds(from: number): string {
  return ((performance.now() - from) / 1000).toFixed(1);
}
