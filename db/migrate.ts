import { readdirSync } from 'node:fs';
import postgres from 'postgres';
import { ArgumentsError, readArguments } from '#shared/arguments';
import { scramVerifier } from './scram.ts';

const folder = new URL('./migrations/', import.meta.url);

interface Migration {
  version: number;
  name: string;
}

/** All migrations, oldest first. A released one is never edited. */
export const migrations: Migration[] = readdirSync(folder)
  .filter((file) => file.endsWith('.up.sql'))
  .map((file) => ({ version: Number(file.slice(0, 4)), name: file.slice(0, -'.up.sql'.length) }))
  .sort((a, b) => a.version - b.version);

/** The database cannot hold every text, or not compare it (`normalize` of PostgreSQL needs UTF8). */
export class EncodingError extends Error {
  override name = 'EncodingError';
  readonly code = 'WRONG_ENCODING';

  constructor(encoding: string) {
    super(
      `This database is in ${encoding}, and TaskFlow needs UTF8: make another one, by create database … encoding 'UTF8' template template0.`,
    );
  }
}

/**
 * Brings the schema up to `to` (default: the newest). Idempotent and safe from several processes at once (advisory
 * lock). A schema that is ahead of this code is left alone, so that a rollback of the code never undoes data.
 * @returns the names of the migrations applied
 * @throws {EncodingError} for a database that is not in UTF8
 */
export async function migrate(url: string, { to = Infinity }: { to?: number } = {}): Promise<string[]> {
  return locked(url, async (sql, applied) => {
    const pending = migrations.filter(({ version }) => version <= to && !applied.has(version));
    for (const { version, name } of pending) {
      await change(sql, async (tx) => {
        await tx.unsafe(await read(`${name}.up.sql`));
        await tx`insert into schema_migrations (version, name) values (${version}, ${name})`;
      });
    }
    return pending.map(({ name }) => name);
  });
}

/** The names of what was applied by a later version of this code than the one that runs. */
export async function unknownMigrations(url: string): Promise<string[]> {
  const newest = Math.max(...migrations.map(({ version }) => version));
  return locked(url, async (sql) => {
    const rows = await sql<{ name: string }[]>`
      select name from schema_migrations where version > ${newest} order by version`;
    return rows.map(({ name }) => name);
  });
}

/**
 * Takes the schema down to `to`, newest first, dropping what those versions added. For tests: rolling back an
 * installation never runs this (CONTRACT 10).
 * @throws without `dropData`
 */
export async function migrateDown(url: string, { to, dropData }: { to: number; dropData: boolean }): Promise<string[]> {
  if (!dropData) throw new Error('down drops columns and tables with their data; say --drop-data if you mean it');
  return locked(url, async (sql, applied) => {
    const undone = migrations.filter(({ version }) => version > to && applied.has(version)).reverse();
    for (const { version, name } of undone) {
      await change(sql, async (tx) => {
        await tx.unsafe(await read(`${name}.down.sql`));
        await tx`delete from schema_migrations where version = ${version}`;
      });
    }
    return undone.map(({ name }) => name);
  });
}

/**
 * Creates the services' roles if missing and gives each what it owns. Needs a user that may create roles. A schema that
 * `to` keeps behind this code gets the grants of Phase IV alone.
 * @returns what every role may still do, because this user does not own the database and could not take it away
 */
export async function applyGrants(url: string): Promise<string[]> {
  return locked(url, async (sql, applied) => {
    await change(sql, async (tx) => {
      await tx.unsafe(await readHere('grants.sql'));
      if (migrations.every(({ version }) => applied.has(version))) await tx.unsafe(await readHere('grants-phase5.sql'));
    });
    return leftToPublic(sql);
  });
}

async function leftToPublic(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ right: string }[]>`
    select "right" from (values
      ('create temporary tables', has_database_privilege('public', current_database(), 'temporary')),
      ('create objects in schema public', has_schema_privilege('public', 'public', 'create')),
      ('create large objects', has_function_privilege('public', 'lo_create(oid)', 'execute'))
    ) as rights ("right", is_left) where is_left`;
  return rows.map(({ right }) => right);
}

/** The database role of a service: `taskflow_chat_api` for `chat-api`. */
export const roleOf = (appId: string): string => `taskflow_${appId.replaceAll('-', '_')}`;

/** Lets the services' roles log in with this password (each service one of its own if a map is given). */
export async function setRolePasswords(url: string, passwords: Record<string, string>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await change(sql, async (tx) => {
      for (const [appId, password] of Object.entries(passwords)) {
        await tx.unsafe(`alter role ${roleOf(appId)} login password '${scramVerifier(password)}'`);
      }
    });
  } finally {
    await sql.end();
  }
}

const read = (file: string) => Bun.file(new URL(file, folder)).text();
const readHere = (file: string) => Bun.file(new URL(file, import.meta.url)).text();

/** Arbitrary but fixed: every process that migrates takes this lock of its database. */
const MIGRATION_LOCK = 7_203_114;

async function locked<T>(url: string, work: (sql: postgres.Sql, applied: Set<number>) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await requireUtf8(sql);
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await sql`create table if not exists schema_migrations (version integer primary key, name text not null, applied_at timestamptz not null default now())`;
    const rows = await sql<{ version: number }[]>`select version from schema_migrations`;
    return await work(sql, new Set(rows.map(({ version }) => version)));
  } finally {
    await sql.end(); // also gives the lock back
  }
}

/** Of a statement of a migration for a lock: all that come to the table later wait behind it, and give up after 7 s. */
const LOCK_TIMEOUT = '2s';
/** With a second in between: five minutes of waiting. */
const TRIES = 100;
const LOCK_NOT_AVAILABLE = '55P03';
/** Of two that change one role at the same time; roles are of the whole server, which has no lock for them. */
const CHANGED_MEANWHILE = 'tuple concurrently updated';

/** One transaction, begun anew while others hold what it must change, so that nobody waits behind it for longer than a moment. */
async function change(sql: postgres.Sql, work: (tx: postgres.TransactionSql) => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await sql.begin(async (tx) => {
        await tx`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
        await work(tx);
      });
      return;
    } catch (error) {
      if (!isHeld(error) || tries === TRIES) throw error;
      await Bun.sleep(1000);
    }
  }
}

const isHeld = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && (error.code === LOCK_NOT_AVAILABLE || error.message === CHANGED_MEANWHILE);

async function requireUtf8(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<{ encoding: string }[]>`select getdatabaseencoding() as encoding`;
  if (row && row.encoding !== 'UTF8') throw new EncodingError(row.encoding);
}

const USAGE = `usage: DATABASE_URL=postgres://… bun db/migrate.ts up [--to N]
       DATABASE_URL=postgres://… bun db/migrate.ts down --to N --drop-data`;

/** What was typed. @throws {ArgumentsError} */
function readCommand(args: string[]): { command: string; to: number | undefined; dropData: boolean; help: boolean } {
  const flags = { to: { type: 'string' }, 'drop-data': { type: 'boolean' } } as const;
  const { help, values, words } = readArguments(args, flags);
  const command = words.length === 0 ? 'up' : words.join(' ');
  if (!['up', 'down'].includes(command)) throw new ArgumentsError(`There is no command ${command}`);
  const { to, 'drop-data': dropData = false } = values;
  if (to !== undefined && !/^\d{1,4}$/.test(to))
    throw new ArgumentsError(`--to takes the number of a version, not ${to}`);
  if (command === 'up' && dropData) throw new ArgumentsError('--drop-data belongs to down alone');
  if (command === 'down' && (to === undefined || !dropData) && !help)
    throw new ArgumentsError('down drops columns and tables with their data; it needs --to and --drop-data');
  return { command, to: to === undefined ? undefined : Number(to), dropData, help };
}

async function main(args: string[]): Promise<number> {
  const { command, to, dropData, help } = readCommand(args);
  const url = Bun.env.DATABASE_URL;
  if (help || !url) {
    console[help ? 'log' : 'error'](USAGE);
    return help ? 0 : 2;
  }
  const names =
    command === 'up'
      ? await migrate(url, to === undefined ? {} : { to })
      : await migrateDown(url, { to: to ?? Infinity, dropData });
  const left = command === 'up' ? await applyGrants(url) : [];
  console.log(JSON.stringify({ message: command === 'up' ? 'migrated' : 'migrated down', names }));
  if (left.length > 0)
    console.error(JSON.stringify({ message: 'the owner of the database must revoke this from public', rights: left }));
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error;
    console.error(`${error.message}.\n${USAGE}`);
    process.exitCode = 2;
  }
}
