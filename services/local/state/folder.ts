import { Database } from 'bun:sqlite';
import { accessSync, closeSync, constants, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removePostgres } from '../postgres/postgres.ts';
import { draftOf } from './private-file.ts';
import { codeOf, Refusal } from '../machine/refusal.ts';
import { readSecrets } from './secrets.ts';

/** Lies in each folder of ours. Its name alone counts, so that a write cut short does no harm. */
const MARKER = '.taskflow-state';
const MARKER_TEXT =
  'TaskFlow keeps its data, secrets and logs in this folder. `up --fresh` removes them, and nothing else.\n';
const LOCK = 'up.lock';
export const POSTGRES = 'postgres-18';
/** What else `up` makes, in the order in which it goes: the secrets last, which belong to all that is left when it is cut short. */
const OURS = [
  ...['up.pid', 'running.json', draftOf('running.json'), 'logs', 'postgres.log', 'kafka', 'dapr', 'sentry'],
  ...['secrets.json', draftOf('secrets.json')],
];
/** At the top of each ext file system, so also of an empty one that is mounted here. */
const LOST_AND_FOUND = 'lost+found';

const UNUSABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'ELOOP', 'ENAMETOOLONG'];

/** Throws `Refusal` when the folder is neither absent nor empty nor ours. Touches nothing. */
export function requireOurs(folder: string): void {
  const names = explained(folder, () => namesIn(folder)).filter((name) => name !== LOST_AND_FOUND);
  if (names.length === 0 || names.includes(MARKER) || hasOurSecrets(folder)) return;
  throw new Refusal(
    `The folder ${folder} holds files that are not TaskFlow's: name an empty one, or one that is not there yet, in TASKFLOW_STATE.`,
  );
}

/**
 * Makes the folder if need be, marks it as ours and holds it against any other `up` until `release`. One that was there keeps
 * its owner and mode: what `up` puts into it is closed itself. Undefined when another `up` holds it; throws `Refusal` when it
 * is not ours or cannot be used.
 */
export function holdFolder(folder: string): { release(): void } | undefined {
  requireOurs(folder);
  return explained(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK); // of one that is ours already nothing below would tell
    mark(join(folder, MARKER));
    return lock(join(folder, LOCK));
  });
}

/**
 * Removes all that `up` makes, Postgres's files wherever they lie, and nothing else; links are removed, not followed. For who
 * holds the folder; cut short, it is to be done again.
 */
export async function emptyFolder(folder: string): Promise<void> {
  await removePostgres(join(folder, POSTGRES));
  for (const name of OURS) rmSync(join(folder, name), { recursive: true, force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** As in a folder of a version that set no marker. */
function hasOurSecrets(folder: string): boolean {
  try {
    return readSecrets(folder) !== undefined;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function mark(file: string): void {
  try {
    writeFileSync(file, MARKER_TEXT, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** A lock of the kernel's, by way of SQLite: it ends with this process, whatever ends that, and two cannot have it. */
function lock(file: string): { release(): void } | undefined {
  closeSync(openSync(file, 'a', 0o600)); // SQLite itself would make it for all to read
  const database = new Database(file);
  try {
    database.run('pragma journal_mode = memory; begin exclusive'); // nothing is ever written
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (codeOf(error) === 'SQLITE_BUSY') return undefined;
    throw error;
  }
}

/** Does it, and makes one sentence of what a person mends by another folder. */
function explained<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Error) || !UNUSABLE.includes(codeOf(cause) ?? '')) throw cause;
    const [why] = cause.message.split(','); // `EACCES: permission denied, open …`
    throw new Refusal(`The folder ${folder} cannot be used (${why}): name another one in TASKFLOW_STATE.`, { cause });
  }
}
