import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type AppId, perApp } from './apps.ts';
import { bun } from './command-line.ts';
import { commandOf } from './processes.ts';
import { codeOf, Refusal } from './refusal.ts';

export type Secrets = {
  JWT_SECRET: string;
  SERVICE_TOKEN: string;
  APP_API_TOKEN: string;
  DAPR_API_TOKEN: string;
  AUDIT_SEAL_KEY: string;
  /** One database role per service. */
  databasePasswords: Record<AppId, string>;
  demo: { email: string; password: string };
};

/** What runs where, written by `up` for `demo` and `ops`; it holds passwords. */
export type Running = {
  pid: number;
  url: string;
  /** Of each service, as it was started. */
  settings: Record<AppId, Record<string, string>>;
  processes: { name: string; pid: number; port: number }[];
};

/** The one folder that `up` writes to. Everything in it is for its owner alone. */
export type State = {
  folder: string;
  /** Path of a file or folder inside. */
  path(name: string): string;
  secrets: Secrets;
  saveRunning(running: Running): void;
  /** Lets the next `up` begin. */
  release(): void;
};

const OWN_FILES = ['postgres.log', 'logs', 'kafka', 'dapr', 'sentry', 'secrets.json', 'running.json'];

/** `.taskflow` in the project, or TASKFLOW_STATE. */
export function stateFolder(environment: Record<string, string | undefined> = process.env): string {
  return resolve(environment.TASKFLOW_STATE || join(import.meta.dir, '../../.taskflow'));
}

/**
 * Opens the state folder for one `up` and makes its secrets at the first one. Throws `Refusal` when another `up` holds
 * it or it cannot be written.
 */
export function openState(folder: string): State {
  const path = (name: string) => join(folder, name);
  try {
    mkdirSync(path('logs'), { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    lock(path('up.pid'), folder);
  } catch (error) {
    if (!['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
    throw new Refusal(`The folder ${folder} is not writable: name another one in TASKFLOW_STATE.`, { cause: error });
  }
  return {
    folder,
    path,
    secrets: readOrMakeSecrets(path('secrets.json')),
    saveRunning: (running) => writePrivate(path('running.json'), running),
    release() {
      rmSync(path('running.json'), { force: true });
      rmSync(path('up.pid'), { force: true });
    },
  };
}

/** Removes what `up` keeps beside its Postgres, and nothing else that may lie in the folder. Throws `Refusal` while an `up` uses it. */
export function removeState(folder: string): void {
  const holder = holderOf(join(folder, 'up.pid'));
  if (holder) throw inUse(folder, holder);
  for (const name of OWN_FILES) rmSync(join(folder, name), { recursive: true, force: true });
}

/** What the `up` that uses this folder has started. Throws `Refusal` when none does. */
export function readRunning(folder: string): Running {
  try {
    const running: Running = JSON.parse(readFileSync(join(folder, 'running.json'), 'utf8'));
    if (isUp(running.pid)) return running;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  throw new Refusal(`Nothing is running here: start it with \`${bun} run up\` in another terminal.`);
}

export function makeSecrets(): Secrets {
  return {
    JWT_SECRET: random(),
    SERVICE_TOKEN: random(),
    APP_API_TOKEN: random(),
    DAPR_API_TOKEN: random(),
    AUDIT_SEAL_KEY: random(),
    databasePasswords: perApp(() => random()),
    // `Tf1`: an upper-case letter and a digit, which a random text may lack.
    demo: { email: `demo-${crypto.randomUUID().slice(0, 8)}@example.com`, password: `Tf1-${random(9)}` },
  };
}

function readOrMakeSecrets(file: string): Secrets {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const secrets = makeSecrets();
  writePrivate(file, secrets);
  return secrets;
}

/** Written beside and renamed: a killed or full-disk write never leaves half a file. */
function writePrivate(file: string, content: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function lock(file: string, folder: string): void {
  const holder = holderOf(file);
  if (holder) throw inUse(folder, holder);
  rmSync(file, { force: true });
  try {
    writeFileSync(file, String(process.pid), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw inUse(folder, holderOf(file) ?? 0);
  }
}

function holderOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return pid !== process.pid && isUp(pid) ? pid : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isUp(pid: number): boolean {
  return pid > 0 && commandOf(pid).includes('services/local/up.ts');
}

function inUse(folder: string, pid: number): Refusal {
  return new Refusal(
    `TaskFlow already runs on ${folder} (process ${pid}): stop that one, or name another folder in TASKFLOW_STATE and another --port.`,
  );
}

function random(bytes = 32): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url');
}
