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
    /** As when its machine is lost. A session whose server alone was killed may go on with what it was sent already. */
    async kill(): Promise<void> {
      signal(server.pid, 'SIGKILL');
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

/** To all processes of a server. The first one forks the others: it is stopped before they are listed, so that none is missed. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  if (name !== 'SIGCONT') process.kill(pid, 'SIGSTOP');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  for (const each of [pid, ...children]) {
    try {
      process.kill(Number(each), name);
    } catch (error) {
      // A worker may end by itself between the list and the signal; then nobody is left to be signalled.
      if (codeOf(error) !== 'ESRCH') throw error;
    }
  }
}
