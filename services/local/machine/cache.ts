import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from './refusal.ts';

const DAY_MS = 86_400_000;
const BUILDING = '.building-';

/** Where built parts lie: outside the repository, for all checkouts of it. */
export function cacheFolder(): string {
  const { TASKFLOW_CACHE, XDG_CACHE_HOME } = process.env;
  return TASKFLOW_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'taskflow');
}

/**
 * The folder of a part below `cache`, keyed by the content of its `sources` and by what is `also` of influence; `make` fills
 * it the first time. It is made beside and renamed, so it is whole or absent, and two runs may race.
 */
export async function cached(
  cache: string,
  name: string,
  { sources, also = '' }: { sources: string[]; also?: string },
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of sources) hash.update(await Bun.file(file).bytes());
  hash.update(also);
  const folder = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(folder)) return folder;

  await mkdir(cache, { recursive: true });
  const building = await mkdtemp(`${folder}${BUILDING}`);
  try {
    await make(building);
    await rename(building, folder);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!(await exists(folder))) throw error; // otherwise another run was first
  }
  return folder;
}

/** Removes what builds left that were killed: a day old, since a younger one may still be at work, on another machine too. */
export async function sweepAbandoned(cache: string, now: number): Promise<void> {
  if (!(await exists(cache))) return;
  for (const name of await readdir(cache)) {
    if (!name.includes(BUILDING)) continue;
    const folder = join(cache, name);
    const changedAt = await lastChange(folder); // none: it has just become whole
    if (changedAt !== undefined && now - changedAt > DAY_MS) await rm(folder, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lastChange(path)) !== undefined;
}

async function lastChange(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
