import postgres from 'postgres';
import { applyGrants, EncodingError, migrate, roleOf, setRolePasswords } from '../../../db/migrate.ts';
import { type AppId } from '../machine/apps.ts';
import { codeOf, Refusal } from '../machine/refusal.ts';
import type { Secrets } from './secrets.ts';

/** Where the services and the stand-in keep their data, migrated and ready. */
export type Data = {
  url(appId: AppId): string;
  sidecarUrl: string;
  /** Whether each service has a role of its own. */
  hasRoles: boolean;
  migrations: string[];
};

const INSUFFICIENT_PRIVILEGE = '42501';
const DUPLICATE_DATABASE = '42P04';
const DISK_FULL = '53100';

/**
 * Migrates the database at `url` and gives each service its role. Where no roles may be created, every service uses
 * `url` itself; where no database may be created, the stand-in's tables live in a schema of this one.
 */
export async function prepareData(url: string, secrets: Secrets): Promise<Data> {
  const migrations = await migrate(url);
  const [hasRoles, sidecarUrl] = await Promise.all([createRoles(url, secrets), sidecarDatabase(url)]);
  const urlOf = (appId: AppId) => (hasRoles ? asRole(url, appId, secrets) : url);
  return { url: urlOf, sidecarUrl, hasRoles, migrations };
}

async function createRoles(url: string, { databasePasswords }: Secrets): Promise<boolean> {
  try {
    await applyGrants(url);
    await setRolePasswords(url, databasePasswords);
    return true;
  } catch (error) {
    if (codeOf(error) === INSUFFICIENT_PRIVILEGE) return false;
    throw error;
  }
}

/**
 * Where the stand-in keeps its log: a database beside the one at `url` and named after it, since two of TaskFlow on one
 * server must not read each other's events. Where that is not to be had, a schema of the database itself.
 */
export async function sidecarDatabase(url: string): Promise<string> {
  const own = new URL(url);
  const name = `${own.pathname.slice(1)}_sidecar`;
  const schema = 'taskflow_sidecar';
  const sql = postgres(url, { max: 1, onnotice() {} });
  try {
    if (await mayHave(sql, name)) return await ensureDatabase(url, name);
    await sql`create schema if not exists ${sql(schema)}`;
  } finally {
    await sql.end();
  }
  own.searchParams.set('search_path', schema);
  return own.href;
}

/** Whether the database of that name may be made, or is there and tables may be made in it. */
async function mayHave(sql: postgres.Sql, name: string): Promise<boolean> {
  const [row] = await sql`
    select coalesce(
      (select has_database_privilege(oid, 'create') from pg_database where datname = ${name}),
      rolsuper or rolcreatedb
    ) as answer
    from pg_roles where rolname = current_user
  `;
  return row?.answer === true;
}

/** Makes the database of that name beside the one at `url`, unless it is there. Answers its URL. */
export async function ensureDatabase(url: string, name: string): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice() {} });
  try {
    const found = await sql`select 1 from pg_database where datname = ${name}`;
    if (found.length === 0) await sql`create database ${sql(name)}`;
  } catch (error) {
    if (codeOf(error) !== DUPLICATE_DATABASE) throw error;
  } finally {
    await sql.end();
  }
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

function asRole(url: string, appId: AppId, { databasePasswords }: Secrets): string {
  const own = new URL(url);
  own.username = roleOf(appId);
  own.password = databasePasswords[appId];
  return own.href;
}

/** Whether the error says nothing but that the server went away or ran out of disk: its own log knows why. */
export function isServerLost(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  return ['ECONNREFUSED', 'ECONNRESET', 'CONNECTION_CLOSED', 'CONNECTION_DESTROYED', '57P03', DISK_FULL].includes(code);
}

/** What a person has to change about a DATABASE_URL of their own; any other error as it is. */
export function explainGiven(error: unknown, url: string): unknown {
  if (error instanceof EncodingError) return new Refusal(error.message, { cause: error });
  const { host } = new URL(url);
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'CONNECT_TIMEOUT':
    case 'CONNECTION_CLOSED':
      return new Refusal(`No Postgres answers at ${host}: check DATABASE_URL.`, { cause: error });
    case '28P01':
    case '28000':
    case '3D000':
      return new Refusal(`The Postgres at ${host} refuses the user, password or database of DATABASE_URL.`, {
        cause: error,
      });
    case INSUFFICIENT_PRIVILEGE:
      return new Refusal('The user in DATABASE_URL may not create tables: name one that owns its database.', {
        cause: error,
      });
    case DISK_FULL:
      return new Refusal('The disk of the database is full: free some space and try again.', { cause: error });
    default:
      return error;
  }
}
