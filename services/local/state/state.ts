import { type Static, Type } from '@sinclair/typebox';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { perApp } from '../machine/apps.ts';
import { bun } from '../machine/command-line.ts';
import { emptyFolder, holdFolder, POSTGRES } from './folder.ts';
import { readPrivate, writePrivate } from './private-file.ts';
import { commandOf } from '../machine/processes.ts';
import { Refusal } from '../machine/refusal.ts';
import { readOrMakeSecrets, type Secrets } from './secrets.ts';

const RUNNING = 'running.json';

const runningSchema = Type.Object({
  pid: Type.Integer(),
  url: Type.String(),
  /** Of each service, as it was started. */
  settings: Type.Object(perApp(() => Type.Record(Type.String(), Type.String()))),
  processes: Type.Array(Type.Object({ name: Type.String(), pid: Type.Integer(), port: Type.Integer() })),
});

/** What runs where, written by `up` for `demo` and `ops`; it holds passwords. */
export type Running = Static<typeof runningSchema>;

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

/** `.taskflow` in the project, or TASKFLOW_STATE. */
export function stateFolder(environment: Record<string, string | undefined> = process.env): string {
  return resolve(environment.TASKFLOW_STATE || join(import.meta.dir, '../../../.taskflow'));
}

/**
 * Opens the state folder for one `up` and makes its secrets at the first one; with `fresh` it begins anew, without what earlier
 * ones left. Throws `Refusal` when another `up` holds it, it is not ours, cannot be written or is damaged.
 */
export async function openState(folder: string, { fresh = false } = {}): Promise<State> {
  const hold = holdFolder(folder);
  if (!hold) throw inUse(folder);
  const path = (name: string) => join(folder, name);
  const forget = () => rmSync(path(RUNNING), { force: true });
  try {
    if (fresh) await emptyFolder(folder);
    forget(); // of one that was killed
    mkdirSync(path('logs'), { recursive: true, mode: 0o700 });
    return {
      folder,
      path,
      secrets: readOrMakeSecrets(folder, { hasData: existsSync(path(POSTGRES)) }),
      saveRunning: (running) => writePrivate(path(RUNNING), running),
      release() {
        forget();
        hold.release();
      },
    };
  } catch (error) {
    hold.release();
    throw error;
  }
}

/** What the `up` that uses this folder has started. Throws `Refusal` when none does. */
export function readRunning(folder: string): Running {
  const mend = 'stop `up`, if it runs, and start it again';
  const running = readPrivate(join(folder, RUNNING), runningSchema, mend);
  if (running && commandOf(running.pid).includes('services/local/up.ts')) return running;
  throw new Refusal(`Nothing is running here: start it with \`${bun} run up\` in another terminal.`);
}

function inUse(folder: string): Refusal {
  return new Refusal(
    `TaskFlow already runs on ${folder}${holderOf(folder)}: stop that one, or name another folder in TASKFLOW_STATE and another --port.`,
  );
}

function holderOf(folder: string): string {
  try {
    return ` (process ${readRunning(folder).pid})`;
  } catch (error) {
    if (error instanceof Refusal) return ''; // it is still starting
    throw error;
  }
}
