import postgres from 'postgres';
import { roleOf } from '../../db/migrate.ts';

/** A database of a test file's own, migrated and empty. */
export type TestDatabase = {
  /** Logs in as the role of that service, or as the administrator. */
  url(appId?: string): string;
  /** The administrator's connection: to arrange and to look, not for what is under test. */
  sql: postgres.Sql;
  drop(): Promise<void>;
};

/**
 * Clones the migrated template (`phase: 4` = the first migration alone, `0` = none) in the cluster that `bun run check` or
 * `bun run test` started. About 20 ms; drop it in `afterAll`.
 */
export async function createDatabase({ phase = 5 }: { phase?: 0 | 4 | 5 } = {}): Promise<TestDatabase> {
  const server = serverUrl();
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`;
  await asAdmin(server, async (sql) => {
    const template = phase === 0 ? 'template0' : `template_phase${phase}`;
    await sql.unsafe(`create database ${name} template ${template} strategy file_copy`);
    await sql.unsafe(`revoke temporary on database ${name} from public`); // as the grants do: a clone has its own
  });

  const url = (appId?: string) => databaseUrl(server, name, appId);
  const sql = postgres(url(), { max: 4, onnotice() {} });
  return {
    url,
    sql,
    async drop() {
      await sql.end({ timeout: 1 });
      await asAdmin(server, (admin) => admin.unsafe(`drop database ${name} with (force)`));
    },
  };
}

function serverUrl(): URL {
  const { TEST_DATABASE_URL } = process.env;
  if (!TEST_DATABASE_URL) throw new Error('No test database: run tests by `bun run test <path…>` or `bun run check`.');
  return new URL(TEST_DATABASE_URL);
}

function databaseUrl(server: URL, database: string, appId?: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (!appId) return url.href;
  url.username = roleOf(appId);
  url.password = process.env.TEST_ROLE_PASSWORD ?? '';
  return url.href;
}

async function asAdmin(server: URL, command: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(server.href, { max: 1, onnotice() {} });
  try {
    await command(sql);
  } finally {
    await sql.end();
  }
}
