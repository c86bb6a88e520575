import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { operatorName } from '#shared/operator';
import { networkAddresses } from '../services/local/address.ts';
import { apps } from '../services/local/machine/apps.ts';
import { cacheFolder } from '../services/local/machine/cache.ts';
import { freePort } from '../services/local/machine/port.ts';
import { startPostgres } from '../services/local/postgres/postgres.ts';
import { commandOf } from '../services/local/machine/processes.ts';
import type { Secrets } from '../services/local/state/secrets.ts';
import { readRunning, type Running } from '../services/local/state/state.ts';
import { runToEnd } from './support/command.ts';
import { openProxy } from './support/proxy.ts';
import { eventually } from './support/wait.ts';

const root = join(import.meta.dir, '..');
const isReal = process.env.TASKFLOW_SIDECAR === 'real';
const port = freePort();
/** By the user, for another program and for one of the services. */
const exported = { AWS_SECRET_ACCESS_KEY: `secret-${crypto.randomUUID()}`, LOGIN_FAILURES: '77' };
const started: Bun.Subprocess[] = [];
/** All HTTP of `up`, of what it starts and of `demo` would go there. */
const proxy = openProxy();
let folder: string;
let state: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskflow-up-'));
  state = join(folder, `state $HOME "b" #1 100% ü`); // each of its programs reads something of it as something else
  await mkdir(state); // open to others, as up finds it
});
afterEach(async () => {
  // A test that failed half-way must not leave its `up` to the next one.
  for (const child of started.splice(0)) {
    child.kill('SIGKILL');
    await child.exited;
  }
});
afterAll(async () => {
  proxy.close();
  await rm(folder, { recursive: true, force: true });
});

describe('up', () => {
  let secrets: string;

  test('runs a whole task life and leaves no process behind at SIGTERM', async () => {
    const up = startUp();
    const processes = await isUp(up);
    expect(processes.map(({ name }) => name)).toEqual([
      'gateway',
      'postgres',
      ...(isReal ? ['kafka', 'sentry'] : ['sidecar']),
      'chat-api',
      'notification-service',
      'reminder-service',
      'audit-logger',
      'recurring-task-processor',
      ...(isReal ? apps.map(({ appId }) => `daprd-${appId}`) : []),
    ]);
    // Another `up` may be starting, and find them free as well.
    expect(processes.filter((each) => apps.some(({ port }) => port === each.port))).toEqual([]);
    const demo = await run('services/local/demo.ts');
    expect(demo).toMatchObject({ exitCode: 0, err: '' });
    for (const type of ['created', 'updated', 'reminder.triggered', 'completed', 'deleted']) {
      expect(demo.out).toMatch(new RegExp(`^task\\.${type} +\\d+ ms$`, 'm'));
    }
    const interrupted = start('services/local/demo.ts');
    await eventually(async () => (await outputOf('demo')).includes('stream      open'), { what: 'its stream' });
    interrupted.kill('SIGINT');
    interrupted.kill('SIGINT');
    expect(await interrupted.exited).toBe(130);
    const ops = await run('services/local/ops.ts', 'chat-api', 'users', 'list', '--json');
    expect(ops).toMatchObject({ exitCode: 0, err: '' });
    // The page's own user alone: both demos have removed theirs.
    const { demo: page } = JSON.parse(await Bun.file(join(state, 'secrets.json')).text()) as Secrets;
    expect(JSON.parse(ops.out)).toEqual([expect.objectContaining({ email: page.email })]);
    expect(await Bun.file(join(state, 'logs', 'ops.log')).text()).toContain(`"operator":"${operatorName('')}"`);
    expect(proxy.requests).toEqual([]);
    const again = await run('services/local/up.ts', '--port', String(port));
    expect(again).toMatchObject({ exitCode: 2, err: expect.stringContaining('TaskFlow already runs on') });

    up.kill('SIGTERM');
    up.kill('SIGTERM'); // npx and `bun run` deliver each signal twice
    expect(await up.exited).toBe(0);
    expect(processes.filter(isAlive)).toEqual([]);
    const stopped = [...(await outputOf('up')).matchAll(/^(\S+) +stopped/gm)];
    const names = stopped.map(([, name]) => name);
    expect(names.toSorted()).toEqual([
      'audit-logger',
      'chat-api',
      'notification-service',
      'recurring-task-processor',
      'reminder-service',
    ]);
    expect(names.at(-1)).toBe('chat-api'); // consumers first
    expect(await Bun.file(join(state, 'postgres.log')).text()).toEndWith('database system is shut down\n');
    expect(readdirSync(state).filter((name) => statSync(join(state, name)).mode & 0o077)).toEqual([]);
    secrets = await Bun.file(join(state, 'secrets.json')).text();
  }, 60_000);

  // As people start it: how much passes at once is said by the script.
  test('lets hundreds of streams through, and others beside them', async () => {
    const up = launch(['run', 'up', '--port', String(port)], 'up', { STREAMS_PER_USER: '400' });
    await eventually(async () => (await outputOf('up')).includes('TaskFlow runs'), {
      ms: 45_000,
      what: 'up to be ready',
    });
    const login = await fetch(url('/local/demo-login'), { method: 'POST', headers: { origin: url('') } });
    expect(login.status).toBe(200);
    const cookie = login.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ');
    let open = 0;
    const sockets = await Promise.all(
      Array.from({ length: 300 }, () =>
        Bun.connect({
          hostname: '127.0.0.1',
          port,
          socket: {
            open: (socket) =>
              void socket.write(
                `GET /api/v1/notifications/stream HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncookie: ${cookie}\r\n\r\n`,
              ),
            data: (_socket, bytes) => void (open += Number(bytes.toString().startsWith('HTTP/1.1 200'))),
          },
        }),
      ),
    );
    await eventually(() => open === sockets.length, { what: 'all streams' });
    expect((await fetch(url('/api/v1/health'))).status).toBe(200);
    for (const socket of sockets) socket.end();
    up.kill('SIGTERM');
    expect(await up.exited).toBe(0);
  }, 90_000);

  test('restarts a killed service, leaves no process behind when it is killed itself, and goes on with the same data', async () => {
    const first = startUp();
    const before = await isUp(first);
    const chatApi = before.find(({ name }) => name === 'chat-api');
    process.kill(chatApi?.pid ?? 0, 'SIGKILL');
    await eventually(() => before.filter(isAlive).length < before.length, { what: 'chat-api to end' });
    await eventually(async () => (await fetch(url('/api/v1/health'))).ok, { ms: 20_000, what: 'chat-api to return' });

    first.kill('SIGKILL');
    await first.exited;
    await eventually(() => before.filter(isAlive).length === 0, { ms: 30_000, what: 'all processes to end' });

    const second = startUp();
    const after = await isUp(second);
    expect(await Bun.file(join(state, 'secrets.json')).text()).toBe(secrets);
    const login = await fetch(url('/local/demo-login'), { method: 'POST', headers: { origin: url('') } });
    expect(login.status).toBe(200);
    await changePasswordOfDemo();
    second.kill('SIGINT');
    expect(await second.exited).toBe(0);
    expect(after.filter(isAlive)).toEqual([]);
  }, 90_000);

  /** Who knows it may; `up` then does not any more. */
  async function changePasswordOfDemo(): Promise<void> {
    const { demo } = JSON.parse(await Bun.file(join(state, 'secrets.json')).text()) as Secrets;
    const send = (method: string, path: string, json: object, token = '') =>
      fetch(url(`/api/v1/auth/${path}`), {
        method,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(json),
      });
    const { token } = (await (await send('POST', 'login', demo)).json()) as { token: string };
    const changed = await send('PUT', 'password', { current: demo.password, new: 'Rainy-Day-42' }, token);
    expect(changed.status).toBe(200);
  }

  test('has no demo user where others are meant to come, and locks that of an earlier up out', async () => {
    const up = startUp({ PUBLIC_URL: 'https://tasks.example', SIGNUP: 'closed' });
    await isUp(up);
    const { demo } = JSON.parse(await Bun.file(join(state, 'secrets.json')).text()) as Secrets;
    // As a proxy on this machine may hand it on, whoever has sent it.
    const login = await fetch(url('/local/demo-login'), { method: 'POST', headers: { origin: url('') } });
    expect(login.status).toBe(404);
    expect(await (await fetch(url('/'))).text()).not.toContain('data-demo');
    await eventually(async () => (await outputOf('up')).includes('Now, in another terminal'), { what: 'the screen' });
    expect(await outputOf('up')).not.toContain(demo.email);
    const { out } = await run('services/local/ops.ts', 'chat-api', 'users', 'list', '--json');
    expect(JSON.parse(out)).toMatchObject([{ email: demo.email, disabled_at: expect.any(String) }]);
    up.kill('SIGTERM');
    expect(await up.exited).toBe(0);
  }, 60_000);

  test('hands on no more of its environment than settings and what a process needs, and keeps none of it', async () => {
    const up = startUp();
    const processes = await isUp(up);
    const ops = Bun.spawn([process.execPath, 'services/local/ops.ts', 'chat-api', 'outbox', 'correct', 'no-id'], {
      cwd: root,
      env: environment(),
      stdio: ['pipe', 'ignore', 'ignore'], // the command waits for its input
    });
    const command = await eventually(() => childOf(ops.pid, 'services/chat-api/ops.ts'));
    const children = [...processes.filter(({ pid }) => pid !== up.pid), { name: 'ops', pid: command }];
    const given = (text: string) => children.filter(({ pid }) => environmentOf(pid).includes(text));
    expect(given(exported.AWS_SECRET_ACCESS_KEY)).toEqual([]);
    expect(given(`PATH=${process.env.PATH}`)).toEqual(children);
    expect(given('LOGIN_FAILURES=77').map(({ name }) => name)).toEqual(['chat-api', 'ops']);
    ops.stdin.end();
    await ops.exited;
    up.kill('SIGTERM');
    expect(await up.exited).toBe(0);
    expect(await filesWith(exported.AWS_SECRET_ACCESS_KEY)).toEqual([]);
  }, 60_000);

  test('runs on a Postgres that DATABASE_URL and PGPASSWORD name, and tells the services neither', async () => {
    const place = { dataDir: join(folder, 'given'), log: join(folder, 'given.log'), durable: false };
    await using server = await startPostgres(place).then((own) => ({ ...own, [Symbol.asyncDispose]: own.stop }));
    const { host, username, password, pathname } = new URL(server.adminUrl);
    const given = { DATABASE_URL: `postgres://${username}@${host}${pathname}`, PGPASSWORD: password, PGSSL: 'require' };
    const up = startUp(given);
    const processes = await isUp(up);
    expect(processes.map(({ name }) => name)).not.toContain('postgres');
    const children = processes.filter(({ pid }) => pid !== up.pid);
    const knowing = children.filter(
      ({ pid }) => /PG[A-Z]+=/.test(environmentOf(pid)) || environmentOf(pid).includes(password),
    );
    expect(knowing.map(({ name }) => name)).toEqual(isReal ? [] : ['sidecar']); // whose log is its owner's
    expect(await run('services/local/ops.ts', 'chat-api', 'users', 'list')).toMatchObject({ exitCode: 0 });
    up.kill('SIGTERM');
    expect(await up.exited).toBe(0);
  }, 60_000);

  test('lets the network in at its gateway alone, under the address that it prints first', async () => {
    const up = startUp({}, '--host', '0.0.0.0');
    const processes = await isUp(up);
    const [address] = networkAddresses();
    const page = `http://${address ?? 'localhost'}:${port}`;
    await eventually(async () => new RegExp(`^  page +${page}$`, 'm').test(await outputOf('up')), { what: 'the page' });
    for (const path of ['/', '/docs', '/api/v1/openapi.json'])
      expect([path, (await fetch(page + path)).status]).toEqual([path, 200]);
    const signup = await fetch(`${page}/api/v1/auth/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: page },
      body: JSON.stringify({ email: 'phone@example.com', password: 'Sunny-Day-42' }),
    });
    expect(signup.status).toBe(201);
    expect(signup.headers.getSetCookie().filter((cookie) => /secure/i.test(cookie))).toEqual([]);
    const cookie = signup.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ');
    const create = (origin: string) =>
      fetch(`${page}/api/v1/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin, cookie },
        body: JSON.stringify({ title: 'By phone' }),
      });
    expect([(await create(page)).status, (await create('http://evil.example')).status]).toEqual([201, 403]);
    const rebound = await fetch(page, { headers: { host: 'evil.example' } });
    expect(rebound.status).toBe(421);
    expect((await fetch(`${page}/local/demo-login`, { method: 'POST', headers: { origin: page } })).status).toBe(
      address ? 404 : 200,
    );
    for (const { name, port: inner } of address ? processes.filter((one) => one.name !== 'gateway') : [])
      expect([name, await listens(address ?? '', inner)]).toEqual([name, false]);
    up.kill('SIGTERM');
    expect(await up.exited).toBe(0);
  }, 60_000);

  test('says in one sentence that this machine has no such address', async () => {
    const { exitCode, err } = await run('services/local/up.ts', '--port', String(freePort()), '--host', '192.0.2.254');
    expect({ exitCode, lines: err.trim().split('\n') }).toEqual({
      exitCode: 2,
      lines: [expect.stringContaining('--host 192.0.2.254: this machine has no such address. It has 0.0.0.0')],
    });
  });

  test('says in one sentence that its port is taken', async () => {
    using taken = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
    const { exitCode, err } = await run('services/local/up.ts', '--port', String(taken.port));
    expect({ exitCode, lines: err.trim().split('\n') }).toEqual({
      exitCode: 2,
      lines: [expect.stringContaining(`Port ${taken.port} is taken: stop what uses it, or choose another one`)],
    });
  });
});

describe('up --fresh', () => {
  const secrets = () => Bun.file(join(state, 'secrets.json')).text();
  const question = `Remove all tasks, users and secrets in`;

  test.each([
    ['no', 'n\n', 0],
    ['Ctrl-C', '\x03', 130],
  ])(
    'asks on a terminal, and %s leaves all as it is',
    async (_name, answer, exitCode) => {
      const before = await secrets();
      let screen = '';
      const up = Bun.spawn([process.execPath, 'services/local/up.ts', '--fresh', '--port', String(port)], {
        cwd: root,
        env: environment(),
        terminal: {
          data(terminal, bytes) {
            screen += new TextDecoder().decode(bytes);
            if (screen.endsWith('? [y/N] ')) terminal.write(answer);
          },
        },
      });
      started.push(up);
      expect(await up.exited).toBe(exitCode);
      expect(screen).toStartWith(`${question} ${state}? [y/N] `);
      expect(await secrets()).toBe(before);
    },
    20_000,
  );

  test('says in one sentence that it needs --yes where nobody can be asked', async () => {
    const before = await secrets();
    const { exitCode, err } = await run('services/local/up.ts', '--fresh', '--port', String(port));
    const sentence = `--fresh removes all tasks, users and secrets in ${state}: say --yes besides, since nobody can be asked here.\n`;
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: sentence });
    expect(await secrets()).toBe(before);
  });

  test('refuses a folder of somebody else before it asks, with --yes too', async () => {
    const theirs = join(folder, 'theirs');
    await Bun.write(join(theirs, 'logs', 'theirs.log'), '');
    const sentence = `The folder ${theirs} holds files that are not TaskFlow's: name an empty one, or one that is not there yet, in TASKFLOW_STATE.\n`;
    for (const flags of [['--fresh'], ['--fresh', '--yes'], []]) {
      const { exitCode, err } = await runOn(theirs, 'services/local/up.ts', ...flags);
      expect({ exitCode, err }).toEqual({ exitCode: 2, err: sentence });
    }
    expect((await readdir(theirs, { recursive: true })).toSorted()).toEqual(['logs', 'logs/theirs.log']);
  });

  test('with --yes begins anew', async () => {
    const before = await secrets();
    const up = startUp({}, '--fresh', '--yes');
    await isUp(up);
    expect(await secrets()).not.toBe(before);
    const { out } = await run('services/local/ops.ts', 'chat-api', 'users', 'list', '--json');
    expect(JSON.parse(out)).toHaveLength(1); // the demo user
    up.kill('SIGTERM');
    expect(await up.exited).toBe(0);
  }, 60_000);
});

const url = (path: string) => `http://localhost:${port}${path}`;

function startUp(more: Record<string, string> = {}, ...flags: string[]) {
  return start('services/local/up.ts', ['--port', String(port), ...(isReal ? ['--real'] : []), ...flags], more);
}

/** What it prints stands in `<name>.out`, and nothing that an earlier one has printed. */
function start(script: string, options: string[] = [], more: Record<string, string> = {}) {
  return launch([script, ...options], basename(script, '.ts'), more);
}

function launch(command: string[], name: string, more: Record<string, string>) {
  const out = join(folder, `${name}.out`);
  writeFileSync(out, '');
  const child = Bun.spawn([process.execPath, '--no-orphans', ...command], {
    cwd: root,
    env: { ...environment(), ...more },
    stdio: ['ignore', Bun.file(out), 'inherit'],
  });
  started.push(child);
  return child;
}

const outputOf = (name: string) => Bun.file(join(folder, `${name}.out`)).text();

/** Waits for what `up` writes at its last screen: what runs. */
async function isUp(up: Bun.Subprocess): Promise<Running['processes']> {
  return eventually(
    () => {
      const running = readRunning(state);
      return running.pid === up.pid && running.processes;
    },
    { ms: 45_000, what: `up to be ready; see ${join(folder, 'up.out')}` },
  );
}

const run = (script: string, ...args: string[]) => runOn(state, script, ...args);

const runOn = (stateFolder: string, script: string, ...args: string[]) =>
  runToEnd([process.execPath, script, ...args], { ...environment(), TASKFLOW_STATE: stateFolder }, { cwd: root });

/** Without what the tests' own cluster put there, and behind a proxy. */
function environment(): Record<string, string> {
  const { PATH = '' } = process.env;
  const own = { USER: 'mallory', HOME: folder, TASKFLOW_STATE: state, TASKFLOW_CACHE: cacheFolder() };
  return { ...exported, PATH, ...own, ...proxy.environment };
}

/** What the process was started with. Linux only, as is `childOf`. */
function environmentOf(pid: number): string {
  return readFileSync(`/proc/${pid}/environ`, 'utf8');
}

/** Once it runs that program: until then it is a copy of its parent. */
function childOf(pid: number, program: string): number | undefined {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  return commandOf(child).includes(program) ? child : undefined;
}

/** Those below the state folder, logs and data too. */
async function filesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(state, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && readFileSync(file).includes(text)) found.push(file);
  }
  return found;
}

/** Whether somebody listens there. */
async function listens(hostname: string, port: number): Promise<boolean> {
  try {
    (await Bun.connect({ hostname, port, socket: { data() {} } })).end();
    return true;
  } catch {
    return false; // refused
  }
}

function isAlive({ pid }: { pid: number }): boolean {
  return commandOf(pid) !== '';
}
