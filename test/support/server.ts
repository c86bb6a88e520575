import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removePostgres, startPostgres } from '../../services/local/postgres/postgres.ts';
import { freeze } from '../../services/local/machine/processes.ts';
import { codeOf } from '../../services/local/machine/refusal.ts';
import { startCluster, temporaryFolder } from './cluster.ts';

export type Server = Awaited<ReturnType<typeof startServer>>;

/**
 * A durable Postgres of the caller's own with the migrated templates, to be stopped, killed or frozen under running services.
 * Until `remove`, `createDatabase` uses it.
 */
export async function startServer() {
  const folder = await temporaryFolder();
  const place = { dataDir: join(folder, 'postgres'), log: join(folder, 'postgres.log'), durable: true };
  let server = await startPostgres(place);
  const cluster = await startCluster(server.adminUrl);
  const before = { ...process.env };
  Object.assign(process.env, cluster.environment);

  let isPaused = false;
  async function resume(): Promise<void> {
    if (isPaused) for (const pid of [server.pid, ...childrenOf(server.pid)]) await signal(pid, 'SIGCONT');
    isPaused = false;
  }

  return {
    /** Again, on the same port and data. */
    async start(): Promise<void> {
      server = await startPostgres({ ...place, port: server.port });
    },
    stop: () => server.stop(),
    /** As when its machine is lost. A session whose server alone was killed may go on with what it was sent already. */
    async kill(): Promise<void> {
      await freeze(server.pid);
      for (const pid of [server.pid, ...childrenOf(server.pid)]) await signal(pid, 'SIGKILL');
      await server.exited;
    },
    /** What is connected stays so, and nobody answers. Linux only. */
    async pause(): Promise<void> {
      isPaused = true;
      await freeze(server.pid);
      await Promise.all(childrenOf(server.pid).map((pid) => unlessGone(() => freeze(pid))));
    },
    resume,
    async remove(): Promise<void> {
      for (const name of Object.keys(cluster.environment)) delete process.env[name];
      Object.assign(process.env, before);
      await resume();
      await server.stop();
      await removePostgres(place.dataDir);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Those that the first process of a server has forked. It is stopped before, so that it forks no more. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

const signal = (pid: number, name: 'SIGCONT' | 'SIGKILL') => unlessGone(() => process.kill(pid, name));

/** A worker may end by itself between the list and the signal. */
async function unlessGone(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'ENOENT') throw error;
  }
}
