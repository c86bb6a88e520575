import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import postgres from 'postgres';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { sidecarDatabase } from './data.ts';

let database: TestDatabase;
const made: string[] = [];
beforeAll(async () => {
  database = await createDatabase();
});
afterEach(async () => {
  for (const name of made.splice(0)) await database.sql`drop database if exists ${database.sql(name)} with (force)`;
});
afterAll(() => database.drop());

const nameOf = (url: string) => new URL(url).pathname.slice(1);

test('gives each TaskFlow on one server a log of its own', async () => {
  const url = await sidecarDatabase(database.url());
  made.push(nameOf(url));
  expect(nameOf(url)).toBe(`${nameOf(database.url())}_sidecar`);
  expect(await sidecarDatabase(database.url())).toBe(url);
  expect(await schemaOf(url)).toBe('public');
});

test('lives in a schema where no database may be created, or the one that is there belongs to somebody else', async () => {
  const mayNotCreate = await asPlainOwner();
  expect(await schemaOf(await sidecarDatabase(mayNotCreate))).toBe('taskflow_sidecar');

  const foreign = `${nameOf(database.url())}_sidecar`;
  made.push(foreign);
  await database.sql`create database ${database.sql(foreign)}`;
  expect(await schemaOf(await sidecarDatabase(mayNotCreate))).toBe('taskflow_sidecar');
  await database.sql`alter role plain createdb`;
  expect(await schemaOf(await sidecarDatabase(mayNotCreate))).toBe('taskflow_sidecar');
  await database.sql`alter role plain nocreatedb`;
});

/** The database's URL for a role that owns it and may do nothing besides. */
async function asPlainOwner(): Promise<string> {
  const { sql } = database;
  await sql`create role plain login password 'plain'`;
  await sql`alter database ${sql(nameOf(database.url()))} owner to plain`;
  const url = new URL(database.url());
  url.username = 'plain';
  url.password = 'plain';
  return url.href;
}

/** Where a new table lands. */
async function schemaOf(url: string): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice() {} });
  await sql`create table log (id int)`;
  const [row] = await sql`select relnamespace::regnamespace::text as schema from pg_class where oid = 'log'::regclass`;
  await sql`drop table log`;
  await sql.end();
  return row?.schema;
}
