import postgres from 'postgres';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { roleOf } from '../../db/migrate.ts';
import { apps } from '../../services/local/machine/apps.ts';
import { startPostgres } from '../../services/local/postgres/postgres.ts';
import type { Database } from './jobs.ts';

/** A Postgres with the database that CloudNativePG makes for data/overlays/minikube/postgres.yaml, and its owner. */
export async function createDatabase(folder: string): Promise<Database & { stop(): Promise<void> }> {
  await mkdir(folder, { recursive: true });
  const server = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false, log: join(folder, 'log') });
  const password = crypto.randomUUID();
  const sql = postgres(server.adminUrl, { max: 1, onnotice() {} });
  await sql.unsafe(`create role taskflow login createrole password '${password}'`);
  await sql.unsafe(`create database taskflow owner taskflow encoding 'UTF8' template template0`);
  await sql.end();
  const urls = apps.map(({ appId }) => [appId, server.url('taskflow', roleOf(appId), password)] as const);
  return { url: server.url('taskflow', 'taskflow', password), urls: Object.fromEntries(urls), stop: server.stop };
}
