import { afterAll, expect, test } from 'bun:test';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { setRolePasswords } from '../../../db/migrate.ts';
import { startPostgres } from './postgres.ts';

const folder = await mkdtemp(join(tmpdir(), 'taskflow-postgres-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const where = { dataDir: join(folder, 'postgres'), durable: true, log: join(folder, 'postgres.log') };

test('loses nothing that was acknowledged when it is killed, and takes an orphan’s place', async () => {
  const first = await startPostgres(where);
  const sql = postgres(first.adminUrl, { max: 5, onnotice() {} });
  await sql`create table kept (n int)`;
  let acknowledged = 0;
  const writers = Array.from({ length: 5 }, async () => {
    for (;;) {
      await sql`insert into kept values (1)`;
      acknowledged += 1;
      if (acknowledged === 200) process.kill(first.pid, 'SIGKILL');
    }
  });
  await Promise.allSettled(writers);
  await sql.end({ timeout: 0 });
  expect(acknowledged).toBeGreaterThanOrEqual(200);

  const second = await startPostgres(where); // its lock file is still there
  const third = await startPostgres(where); // and this one finds the second alive, as after a killed supervisor
  expect(await second.exited).toBe(0);
  const after = postgres(third.adminUrl, { max: 1 });
  const [row] = await after`select count(*)::int as kept from kept`;
  await after.end();
  await third.stop();
  expect(row?.kept).toBeGreaterThanOrEqual(acknowledged);
});

test('listens on the loopback with a password of its own, compares letters of all languages', async () => {
  const server = await startPostgres(where);
  const sql = postgres(server.adminUrl, { max: 1 });
  const [row] = await sql`
    select current_setting('listen_addresses') as listens, current_setting('unix_socket_directories') as sockets,
      'É' ilike 'é' as "sameLetter", current_setting('password_encryption') as password`;
  await sql.end();
  expect(row).toEqual({ listens: '127.0.0.1', sockets: '', sameLetter: true, password: 'scram-sha-256' });
  expect((await stat(join(where.dataDir, 'password'))).mode & 0o777).toBe(0o600);

  const wrong = postgres(server.url('postgres', 'postgres', 'guess'), { max: 1 });
  await expect(wrong`select 1`.execute()).rejects.toThrow('password authentication failed');
  await wrong.end();
  await server.stop();
});

test('says why it does not start', async () => {
  const data = join(folder, 'broken');
  await Bun.write(join(data, 'data', 'PG_VERSION'), '17\n');
  await Bun.write(join(data, 'password'), 'x');
  await expect(startPostgres({ ...where, dataDir: data })).rejects.toThrow(
    /^Postgres did not start \(.*postgresql\.conf.*\): more is at the end of .*postgres\.log\.$/,
  );
});

test('names in its log what failed, and no value of it', async () => {
  const log = join(folder, 'values.log');
  const server = await startPostgres({ ...where, dataDir: join(folder, 'values'), log });
  const sql = postgres(server.adminUrl, { max: 1, onnotice() {} });
  await sql`create table people (email text primary key check (email like '%@%'), secret text)`;
  await sql`set log_parameter_max_length_on_error = -1`; // any role may
  await sql`insert into people values (${'ada@example.com'})`;
  for (const failing of [
    sql`insert into people values (${'ada@example.com'})`, // in the details, and as a parameter
    sql`insert into people values ('ada at example.com', 'Tr0ub4dor')`, // in the statement
    sql`alter role carl password 'Tr0ub4dor'`,
  ]) {
    await expect(failing.execute()).rejects.toThrow();
  }
  await sql.end();
  await server.stop();
  const text = await Bun.file(log).text();
  for (const what of ['"people_pkey"', '"people_email_check"', '"carl"']) expect(text).toContain(what);
  expect(text).not.toMatch(/ada|Tr0ub4dor/);
});

test('the services’ passwords are told to no server, whose log may hold statements', async () => {
  const log = join(folder, 'passwords.log');
  const server = await startPostgres({ ...where, dataDir: join(folder, 'passwords'), log });
  const sql = postgres(server.adminUrl, { max: 1, onnotice() {} });
  await sql`alter system set log_statement = 'ddl'`;
  await sql`select pg_reload_conf()`;
  await sql`create role taskflow_chat_api`;
  await sql.end();
  await setRolePasswords(server.adminUrl, { 'chat-api': "Tr0ub4dor'é" });
  const service = postgres(server.url('postgres', 'taskflow_chat_api', "Tr0ub4dor'é"), { max: 1 });
  expect(await service`select current_user as me`).toMatchObject([{ me: 'taskflow_chat_api' }]);
  await service.end();
  await server.stop();
  const text = await Bun.file(log).text();
  expect(text).toContain('statement: alter role taskflow_chat_api');
  expect(text).not.toContain('Tr0ub4dor');
});

test('starts whatever locale and Postgres the environment of the caller names', async () => {
  const foreign = { LC_ALL: 'xx_XX.UTF-8', PGDATA: '/nowhere', PGPORT: '1', PGOPTIONS: '-c port=2' };
  const before = { ...process.env };
  Object.assign(process.env, foreign);
  try {
    const server = await startPostgres({ ...where, dataDir: join(folder, 'foreign'), durable: false });
    await server.stop();
  } finally {
    for (const name of Object.keys(foreign)) delete process.env[name];
    Object.assign(process.env, before);
  }
});
