import { closeSync, openSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { setAsideLong } from '../machine/log-file.ts';
import { processEnvironment } from '../machine/environment.ts';
import { findNative, type Native, placesOf } from './native.ts';
import { freePort } from '../machine/port.ts';
import { commandOf, endsWithin } from '../machine/processes.ts';
import { codeOf, Refusal } from '../machine/refusal.ts';

const SECOND = 1000;
const ADMIN = 'postgres';

export type Postgres = {
  pid: number;
  port: number;
  adminUrl: string;
  /** The URL of a database; without a user the administrator's. */
  url(database: string, user?: string, password?: string): string;
  /** The exit code, once the server has ended by itself or by `stop`. */
  exited: Promise<number>;
  /** Why it ended by itself, for a person. */
  explain(): Promise<Refusal>;
  stop(): Promise<void>;
};

type Options = {
  /** Folder of this server alone: its password and its data. Made when missing, continued when it is there. */
  dataDir: string;
  /** Default: a free one. */
  port?: number;
  /** False switches off all that survives a power cut: for tests. */
  durable: boolean;
  /** Postgres's own messages are appended here. */
  log: string;
};

/**
 * Starts the embedded Postgres 18 on the loopback and answers when it accepts queries. A server that a killed process
 * left behind on the same folder is stopped first. Throws `Refusal` when a person has to change something.
 */
export async function startPostgres({ dataDir, port: wantedPort, durable, log }: Options): Promise<Postgres> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const native = await findNative(dataDir);
  const data = join(native.folder, 'data');
  const password = await createCluster(native, data, durable, log);

  for (const deadline = Date.now() + 15 * SECOND; ;) {
    await stopOrphan(data);
    const port = wantedPort ?? freePort();
    const logged = Bun.file(log).size;
    const server = launch(native, data, port, durable, log);
    const url = (database: string, user = ADMIN, secret = password) =>
      `postgres://${user}:${encodeURIComponent(secret)}@127.0.0.1:${port}/${database}`;
    if (await isReady(server, data, url(ADMIN))) {
      const why = async () => explain(await Bun.file(log).slice(logged).text(), log);
      return {
        explain: why,
        pid: server.pid,
        port,
        adminUrl: url(ADMIN),
        url,
        exited: server.exited,
        stop: () => stop(server),
      };
    }
    const reason = await Bun.file(log).slice(logged).text();
    if (!passes(reason) || Date.now() > deadline) throw explain(reason, log);
    await Bun.sleep(200);
  }
}

/** Makes the cluster in a folder beside and renames it: a run cut short never leaves half a cluster. */
async function createCluster(native: Native, data: string, durable: boolean, log: string): Promise<string> {
  const passwordFile = join(native.folder, 'password');
  if (await Bun.file(join(data, 'PG_VERSION')).exists()) return readFile(passwordFile, 'utf8');

  const draft = `${data}.new`;
  await rm(draft, { recursive: true, force: true });
  const password = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const { uid, gid } = native.account;
  if (uid !== undefined && gid !== undefined) await chown(passwordFile, uid, gid);

  const initdb = native.command('initdb', [
    `--pgdata=${draft}`,
    `--username=${ADMIN}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order and the same upper and lower case on every system, whatever locales it has; É matches é.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(durable ? [] : ['--no-sync']),
  ]);
  const { exitCode, output } = await run(initdb, native);
  await writeFile(log, output, { flag: 'a', mode: 0o600 });
  if (exitCode !== 0) throw explain(output, log);
  await rename(draft, data);
  return password;
}

async function run(command: string[], native: Native): Promise<{ exitCode: number; output: string }> {
  try {
    // Detached as the server is: a Ctrl-C must not cut it short.
    const program = Bun.spawn(command, {
      ...native.account,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      program.stdout.text(),
      program.stderr.text(),
      program.exited,
    ]);
    return { exitCode, output: stdout + stderr };
  } catch (error) {
    // The file is there, its loader is not: a system without glibc.
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Refusal(
      'The embedded Postgres needs Linux with glibc, or macOS: set DATABASE_URL to a Postgres of your own.',
    );
  }
}

/** A lock file whose owner is dead but not yet reaped, or a port taken between our look and Postgres's. */
function passes(reason: string): boolean {
  return /lock file "postmaster.pid" already exists|could not create any TCP\/IP sockets|shared memory block/.test(
    reason,
  );
}

/** Postgres's programs say why only in words. */
function explain(output: string, log: string): Refusal {
  if (/No space left on device|wrote only \d+ of \d+ bytes/.test(output))
    return new Refusal('The disk is full: free about 100 MB and try again.');
  if (/error while loading shared libraries|not found \(required by/.test(output)) {
    return new Refusal('The embedded Postgres does not load on this system (it needs glibc 2.27): set DATABASE_URL.');
  }
  const reason = /(?:FATAL|PANIC|error): .*/.exec(output)?.[0] ?? output.trim().split('\n').at(-1);
  return new Refusal(`Postgres did not start (${reason || 'it gave no reason'}): more is at the end of ${log}.`);
}

function launch(native: Native, data: string, port: number, durable: boolean, log: string): Bun.Subprocess {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300,
    timezone: 'UTC',
    log_timezone: 'UTC',
    io_method: 'sync',
    log_checkpoints: 'off',
    // Values stand in the details of an error, its parameters and its statement: what failed is in its first line.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', log_min_messages: 'error' }),
  };
  setAsideLong(log);
  // Bun.file(log) would write over the lines of the last run instead of after them.
  const logFile = openSync(log, 'a', 0o600);
  try {
    return Bun.spawn(
      native.command('postgres', [
        '-D',
        data,
        '-p',
        String(port),
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ]),
      {
        ...native.account,
        env: environment(),
        stdio: ['ignore', logFile, logFile],
        // Out of the terminal's process group: Ctrl-C must not reach it before the services have flushed.
        detached: true,
      },
    );
  } finally {
    closeSync(logFile);
  }
}

/** Its messages in English, which `explain` reads; initdb refuses a locale that the system lacks, as one that came by ssh. */
function environment(): Record<string, string> {
  return { ...processEnvironment(), LC_ALL: 'C' };
}

/**
 * After a kill -9 the old postmaster.pid still says "ready", so its pid must be our child's, and then a query must
 * succeed.
 */
async function isReady(server: Bun.Subprocess, data: string, adminUrl: string): Promise<boolean> {
  while (server.exitCode === null && server.signalCode === null) {
    const lock = await readLock(data);
    if (lock?.pid === server.pid && lock.status === 'ready') {
      const sql = postgres(adminUrl, { max: 1, onnotice() {} });
      try {
        await sql`select 1`;
        return true;
      } catch (error) {
        await stop(server);
        throw error;
      } finally {
        await sql.end();
      }
    }
    await Promise.race([Bun.sleep(5), server.exited]);
  }
  return false;
}

async function readLock(data: string): Promise<{ pid: number; status: string } | undefined> {
  const lines = await readFile(join(data, 'postmaster.pid'), 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  return lines[0] ? { pid: Number(lines[0]), status: (lines[7] ?? '').trim() } : undefined;
}

/** Removes a server's folder, wherever its files really lie, and ends what a killed process left running on it. */
export async function removePostgres(dataDir: string): Promise<void> {
  for (const folder of await placesOf(dataDir)) {
    await stopOrphan(join(folder, 'data'));
    await rm(folder, { recursive: true, force: true });
  }
}

async function stopOrphan(data: string): Promise<void> {
  const pid = (await readLock(data))?.pid;
  if (!pid || !commandOf(pid).includes(data)) return;
  process.kill(pid, 'SIGINT');
  for (const deadline = Date.now() + 10 * SECOND; commandOf(pid).includes(data) && Date.now() < deadline;)
    await Bun.sleep(20);
}

/** SIGINT is Postgres's fast stop: transactions are rolled back, what is committed is flushed. */
async function stop(server: Bun.Subprocess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGINT');
  if (await endsWithin(server, 10 * SECOND)) return;
  server.kill('SIGQUIT');
  await server.exited;
}
