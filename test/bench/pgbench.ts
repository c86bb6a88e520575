import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processEnvironment } from '../../services/local/machine/environment.ts';

/** Where distributions put the programs of a server: not on the path. */
const PLACES = '/usr/lib/postgresql';

/** Postgres's own load generator, or null: then one sentence says what is missing, and why nothing is beside a figure. */
export async function findPgbench(): Promise<string | null> {
  const versions = await readdir(PLACES).catch(() => []);
  const inPlaces = versions
    .toSorted()
    .reverse()
    .map((version) => join(PLACES, version, 'bin/pgbench'));
  for (const path of [Bun.which('pgbench'), ...inPlaces]) {
    if (path !== null && (await Bun.file(path).exists())) return path;
  }
  console.log(
    '\nNo pgbench on this machine, so no limit beside these figures (on Debian: apt-get install postgresql-contrib).',
  );
  return null;
}

/**
 * Transactions a second of `script` by so many clients for `seconds`, statements prepared. Each client knows its number
 * as `:client_id`. Throws what pgbench said when it failed.
 */
export async function pgbench(
  program: string,
  url: string,
  script: string,
  { clients, seconds }: { clients: number; seconds: number },
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-pgbench-'));
  try {
    const file = join(folder, 'script.sql');
    await writeFile(file, script);
    const asked = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '2', '-T', String(seconds), '-f', file, url];
    const child = Bun.spawn([program, ...asked], {
      env: { ...processEnvironment(), PGOPTIONS: '-c taskflow.publishes=on' },
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: (seconds + 30) * 1000,
    });
    const [said, complained] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    const rate = /^tps = ([\d.]+)/m.exec(said)?.[1];
    if ((await child.exited) !== 0 || rate === undefined) throw new Error(`pgbench failed: ${complained}${said}`);
    return Number(rate);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
