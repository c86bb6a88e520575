import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { runToEnd } from '../test/support/command.ts';
import { createDatabase } from '../test/support/database.ts';
import { appIds, LIMIT_MS } from './job.ts';
import { migrations, roleOf, setRolePasswords } from './migrate.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** The Secret of the services' URLs, as it is mounted. */
async function secretOf(urlOf: (appId: string) => string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-urls-'));
  folders.push(folder);
  await Promise.all(appIds.map((appId) => writeFile(join(folder, appId), urlOf(appId))));
  return folder;
}

async function run(env: Record<string, string>) {
  const { out, exitCode } = await runToEnd([process.execPath, '--no-env-file', join(import.meta.dir, 'job.ts')], env);
  return { exitCode, line: JSON.parse(out) as { message: string; names?: string[]; reason?: string } };
}

const someSecret = await secretOf((appId) => `postgres://taskflow_${appId.replaceAll('-', '_')}:p@db/taskflow`);
const othersSecret = await secretOf(() => 'postgres://taskflow_chat_api:hush@db/taskflow');

describe('the Job', () => {
  test('brings an empty database to the newest schema, and each service can log in', async () => {
    const database = await createDatabase({ phase: 0 });
    const settings = { DATABASE_URL: database.url(), DATABASE_URLS: await secretOf(database.url) };
    const { exitCode, line } = await run(settings);
    expect({ exitCode, line }).toMatchObject({
      exitCode: 0,
      line: { message: 'migrated', names: migrations.map(({ name }) => name) },
    });
    const sql = postgres(database.url('audit-logger'), { max: 1 });
    expect(await sql`select from task_events`).toHaveLength(0);
    await sql.end();
    expect((await run(settings)).line).toMatchObject({ message: 'migrated', names: [] });
    await database.drop();
  });

  test('needs no superuser: an owner of the database who may create roles will do, as CloudNativePG makes it', async () => {
    const database = await createDatabase({ phase: 0 });
    const name = `owner_${crypto.randomUUID().replaceAll('-', '')}`;
    const owner = new URL(database.url());
    await database.sql.unsafe(`create role ${name} login password 'owner' createrole`);
    await database.sql.unsafe(`alter database ${owner.pathname.slice(1)} owner to ${name}`);
    // As if it had made them: they belong to the server, where another test was first.
    const [server] = await database.sql`select current_setting('server_version_num')::int >= 160000 as can_admin_only`;
    const option = server?.can_admin_only ? 'admin option, inherit false, set false' : 'admin option';
    const owners = ['taskflow_audit_owner', 'taskflow_session_reader', 'taskflow_change_recorder'];
    for (const role of [...appIds.map(roleOf), ...owners])
      await database.sql.unsafe(`grant ${role} to ${name} with ${option}`);
    [owner.username, owner.password] = [name, 'owner'];
    const done = await run({ DATABASE_URL: owner.href, DATABASE_URLS: await secretOf(database.url) });
    expect(done).toMatchObject({
      exitCode: 0,
      line: { message: 'migrated', owner_must_revoke_from_public: ['create large objects'] },
    });
    await database.drop();
    const admin = postgres(new URL('/postgres', database.url()).href, { max: 1 });
    await admin.unsafe(`drop role ${name}`).finally(() => admin.end());
  });

  test('does so once when two run at the same time', async () => {
    const database = await createDatabase({ phase: 0 });
    const settings = { DATABASE_URL: database.url(), DATABASE_URLS: await secretOf(database.url) };
    const both = await Promise.all([run(settings), run(settings)]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const names = both.flatMap(({ line }) => line.names);
    expect(names).toEqual(migrations.map(({ name }) => name));
    await database.drop();
  });

  test('sets the passwords also while others set them', async () => {
    const passwords = Object.fromEntries(appIds.map((appId) => [appId, process.env.TEST_ROLE_PASSWORD ?? '']));
    const database = await createDatabase();
    const all = Array.from({ length: 8 }, () => setRolePasswords(database.url(), passwords));
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(all.map(() => 'fulfilled'));
    await database.drop();
  });

  test('leaves a schema that is ahead of it as it is, with one line and success', async () => {
    const database = await createDatabase();
    await database.sql`insert into schema_migrations (version, name) values (9000, '9000_later')`;
    await database.sql`revoke select on tasks from taskflow_chat_api`;
    const { exitCode, line } = await run({
      DATABASE_URL: database.url(),
      DATABASE_URLS: await secretOf(database.url),
    });
    expect({ exitCode, line }).toMatchObject({
      exitCode: 0,
      line: { message: 'the schema is ahead of this image and stays as it is', names: ['9000_later'] },
    });
    const [right] = await database.sql`select has_table_privilege('taskflow_chat_api', 'tasks', 'select') as is_given`;
    expect(right?.is_given).toBe(false);
    await database.drop();
  });

  test.each([
    ['no DATABASE_URL', { DATABASE_URLS: someSecret }, 2, 'DATABASE_URL: must be'],
    ['another protocol', { DATABASE_URL: 'mysql://db/x', DATABASE_URLS: someSecret }, 2, 'DATABASE_URL: must be'],
    ['a bare %', { DATABASE_URL: 'postgres://me:100%@db/x', DATABASE_URLS: someSecret }, 2, '%25 for a %'],
    ['no folder', { DATABASE_URL: 'postgres://db/x' }, 2, 'DATABASE_URLS: must name the folder'],
    ['an absent folder', { DATABASE_URL: 'postgres://db/x', DATABASE_URLS: '/nowhere' }, 2, '/nowhere/'],
    [
      'a role of another service',
      { DATABASE_URL: 'postgres://db/x', DATABASE_URLS: othersSecret },
      2,
      'notification-service: must be',
    ],
    ['an absent server', { DATABASE_URL: 'postgres://127.0.0.1:1/x', DATABASE_URLS: someSecret }, 1, 'ECONNREFUSED'],
  ])('with %s says so, and shows no secret', async (_what, env, code, reason) => {
    const { exitCode, line } = await run(env as Record<string, string>);
    expect({ exitCode, line }).toMatchObject({ exitCode: code, line: { message: 'not migrated' } });
    expect(line.reason).toContain(reason);
    expect(JSON.stringify(line)).not.toContain('hush');
  });

  test('is ended by the cluster only after it could say why', async () => {
    const { spec } = Bun.YAML.parse(
      await Bun.file(join(import.meta.dir, '../gitops/base/migration/job.yaml')).text(),
    ) as { spec: { activeDeadlineSeconds: number } };
    expect(spec.activeDeadlineSeconds * 1000).toBeGreaterThan(LIMIT_MS);
  });
});
