import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from '#shared/db';
import { eachLine } from '../../services/local/machine/child.ts';
import { processEnvironment } from '../../services/local/machine/environment.ts';
import { freePort } from '../../services/local/machine/port.ts';
import { removePostgres, startPostgres } from '../../services/local/postgres/postgres.ts';
import { createReport } from './report.ts';

const root = join(import.meta.dir, '../..');
const START_MS = 120_000;
const STOP_MS = 60_000;

/** `up` in a new folder, and again in the same: until all five services answer. Beside: its Postgres alone. */
export async function bench({ isSmall }: { isSmall: boolean }): Promise<void> {
  const report = createReport('start', isSmall);
  const rounds = isSmall ? 1 : 5;
  const told = {
    cold: [] as number[],
    warm: [] as number[],
    postgresCold: [] as number[],
    postgresWarm: [] as number[],
  };
  for (let round = 0; round < rounds; round++) {
    const folder = await mkdtemp(join(tmpdir(), 'taskflow-start-'));
    try {
      told.postgresCold.push(await postgresOnce(folder));
      told.cold.push(await upOnce(folder));
      told.postgresWarm.push(await postgresOnce(folder));
      told.warm.push(await upOnce(folder));
    } finally {
      await removePostgres(join(folder, 'alone'));
      await removePostgres(join(folder, 'state/postgres-18'));
      await rm(folder, { recursive: true, force: true });
    }
  }
  report.table(
    'up',
    `${rounds} rounds; packages and the embedded Postgres lie in their caches; beside: Postgres alone`,
  );
  const beside = (values: number[]) => ({ what: 'Postgres', rounds: values });
  report.row({ what: 'cold, in a new folder', unit: 's', rounds: told.cold, beside: beside(told.postgresCold) });
  report.row({ what: 'warm, in the same again', unit: 's', rounds: told.warm, beside: beside(told.postgresWarm) });
  await report.save();
}

async function upOnce(folder: string): Promise<number> {
  const from = performance.now();
  const child = Bun.spawn([process.execPath, 'run', 'up', '--port', String(freePort())], {
    cwd: root,
    env: { ...processEnvironment(), TASKFLOW_STATE: join(folder, 'state') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const { promise: runs, resolve } = Promise.withResolvers<number>();
  const keep = (line: string) => {
    lines.push(line);
    if (line.includes('TaskFlow runs')) resolve((performance.now() - from) / 1000);
  };
  void eachLine(child.stdout, keep);
  void eachLine(child.stderr, keep);
  try {
    const ended = child.exited.then((code) => {
      throw new Error(`up ended with ${code}: ${lines.slice(-5).join('\n')}`);
    });
    ended.catch(() => {}); // it ends below
    return await within(START_MS, Promise.race([runs, ended]));
  } finally {
    child.kill('SIGTERM');
    await within(STOP_MS, child.exited);
  }
}

async function postgresOnce(folder: string): Promise<number> {
  const from = performance.now();
  const server = await startPostgres({ dataDir: join(folder, 'alone'), durable: true, log: join(folder, 'alone.log') });
  const seconds = (performance.now() - from) / 1000;
  await server.stop();
  return seconds;
}
