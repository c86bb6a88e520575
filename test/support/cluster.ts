import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { applyGrants, migrate, setRolePasswords } from '../../db/migrate.ts';
import { isAlive } from '../../services/local/machine/processes.ts';
import { startPostgres, removePostgres } from '../../services/local/postgres/postgres.ts';
import { apps } from '../../services/local/machine/apps.ts';

const FOLDER = 'taskflow-check-';

/** What the tests find in their environment; see `createDatabase`. */
export type Cluster = {
  environment: { TEST_DATABASE_URL: string; TEST_ROLE_PASSWORD: string };
  stop(): Promise<void>;
};

/**
 * A throw-away Postgres (without durability, unless `durable`) in a folder of its own, or the server at `givenUrl` (version 15 or newer, a
 * user that may create roles; the services' roles there get a new password). Both get the two migrated templates.
 */
export async function startCluster(givenUrl: string | undefined, { durable = false } = {}): Promise<Cluster> {
  const server = givenUrl ? { adminUrl: givenUrl, stop: async () => {} } : await startThrowAway(durable);
  const password = crypto.randomUUID();
  const dropTemplates = () => dropDatabases(server.adminUrl, ['template_phase4', 'template_phase5']);
  try {
    await dropTemplates();
    await createTemplate(server.adminUrl, 'template_phase4', 1);
    await createTemplate(server.adminUrl, 'template_phase5');
    await setRolePasswords(server.adminUrl, Object.fromEntries(apps.map(({ appId }) => [appId, password])));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    environment: { TEST_DATABASE_URL: server.adminUrl, TEST_ROLE_PASSWORD: password },
    async stop() {
      if (givenUrl) await dropTemplates();
      await server.stop();
    },
  };
}

async function startThrowAway(durable: boolean): Promise<{ adminUrl: string; stop(): Promise<void> }> {
  await sweep();
  const folder = await temporaryFolder();
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const server = await startPostgres({
      dataDir: join(folder, 'postgres'),
      durable,
      log: join(folder, 'postgres.log'),
    });
    return {
      adminUrl: server.adminUrl,
      async stop() {
        await server.stop();
        await removePostgres(join(folder, 'postgres'));
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The pid in its name lets a later run see that this one was killed. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`));
}

/** Ends the servers and removes the folders of runs that were killed before they could do it. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(FOLDER) ? Number(name.slice(FOLDER.length).split('-')[0]) : NaN;
    if (!(pid > 0) || isAlive(pid)) continue;
    const folder = join(tmpdir(), name);
    await removePostgres(join(folder, 'postgres'));
    await rm(folder, { recursive: true, force: true });
  }
}

async function createTemplate(adminUrl: string, name: string, to?: number): Promise<void> {
  await withAdmin(adminUrl, (sql) => sql.unsafe(`create database ${name}`));
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  await migrate(url.href, to === undefined ? {} : { to });
  await applyGrants(url.href);
}

async function dropDatabases(adminUrl: string, names: string[]): Promise<void> {
  await withAdmin(adminUrl, async (sql) => {
    for (const name of names) await sql.unsafe(`drop database if exists ${name} with (force)`);
  });
}

async function withAdmin(adminUrl: string, work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice() {} });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}
