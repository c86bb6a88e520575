import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removePostgres, startPostgres } from '../../services/local/postgres.ts';
import { codeOf } from '../../services/local/refusal.ts';
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
  function resume(): void {
    if (isPaused) signal(server.pid, 'SIGCONT');
    isPaused = false;
  }

  return {
    /** Again, on the same port and data. */
    async start(): Promise<void> {
      server = await startPostgres({ ...place, port: server.port });
    },
    stop: () => server.stop(),
    async kill(): Promise<void> {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    /** What is connected stays so, and nobody answers. Linux only. */
    pause(): void {
      isPaused = true;
      signal(server.pid, 'SIGSTOP');
    },
    resume,
    async remove(): Promise<void> {
      for (const name of Object.keys(cluster.environment)) delete process.env[name];
      Object.assign(process.env, before);
      resume();
      await server.stop();
      await removePostgres(place.dataDir);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** To all processes of a server. The first one forks the others. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  process.kill(pid, name);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  for (const child of children) {
    try {
      process.kill(Number(child), name);
    } catch (error) {
      // A worker may end by itself between the list and the signal; then nobody is left to be signalled.
      if (codeOf(error) !== 'ESRCH') throw error;
    }
  }
}
