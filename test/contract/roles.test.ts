import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import postgres from 'postgres';
import { roleOf } from '../../db/migrate.ts';
import { type AppId, perApp } from '../../services/local/machine/apps.ts';
import { createDatabase } from '../support/database.ts';

// What somebody can do who has taken over a service: all that its database role lets them.

const database = await createDatabase();
const roles = perApp((appId) => postgres(database.url(appId), { max: 1, onnotice() {} }));
const appIds = Object.keys(roles) as AppId[];
await Promise.all(Object.values(roles).map((sql) => sql`select 1`)); // each is there to be seen by the others
const consumers = appIds.filter((appId) => appId !== 'recurring-task-processor');
afterAll(async () => {
  await Promise.all(Object.values(roles).map((sql) => sql.end()));
  await database.drop();
});

const REFUSED = '42501'; // insufficient_privilege

/** What comes of it when the role of that service says this: `done`, or the code of the refusal. Nothing of it stays. */
async function attempt(appId: AppId, statements: string): Promise<string> {
  try {
    await roles[appId].unsafe(`begin; ${statements}`);
    return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await roles[appId].unsafe('rollback');
  }
}

async function notRefused(appId: AppId, statements: string[]): Promise<string[]> {
  const other: string[] = [];
  for (const each of statements) {
    const outcome = await attempt(appId, each);
    if (outcome !== REFUSED) other.push(`${outcome}: ${each}`);
  }
  return other;
}

describe.each(appIds)('the role of %s may not', (appId) => {
  const others = appIds.filter((other) => other !== appId);

  test('make anything of its own', async () => {
    const statements = [
      'create temp table t (a int)',
      'create temp view v as select 1',
      'select lo_create(0)',
      "select lo_from_bytea(0, 'x')",
      "create type pg_temp.t as enum ('a')",
      'create domain pg_temp.date as pg_catalog.date',
      "create function pg_temp.f() returns int language sql as 'select 1'",
      'create table public.t (a int)',
      "create function public.f() returns int language sql as 'select 1'",
      'create schema s',
      'create role r',
    ];
    expect(await notRefused(appId, statements)).toEqual([]);
  });

  test('become somebody else', async () => {
    const people = [...others.map(roleOf), 'postgres', 'taskflow_audit_owner', 'taskflow_session_reader'];
    const statements = [
      ...people.flatMap((name) => [`set role ${name}`, `alter role ${name} password 'mine'`]),
      'set session authorization postgres',
      `alter role ${roleOf(appId)} superuser`,
      `alter role ${roleOf(appId)} bypassrls`,
      'set session_replication_role = replica',
      'select rolpassword from pg_authid',
      "select pg_read_file('/etc/passwd')",
      "copy (select 1) to program 'true'",
      `select pg_cancel_backend(pid) from pg_stat_activity where usename <> current_user and datname = current_database()`,
    ];
    expect(await notRefused(appId, statements)).toEqual([]);
  });

  test('change the tables, or what guards them', async () => {
    const statements = [
      'alter table tasks disable trigger tasks_unpublished_change',
      'create trigger t after insert on tasks for each row execute function suppress_redundant_updates_trigger()',
      'drop policy dead_letters_of_this_service on dead_letters',
      'alter table dead_letters disable row level security',
      'truncate dead_letters',
      'drop table task_events',
      'lock table task_events in access exclusive mode',
      'update task_events set payload = null',
      'delete from task_events',
      'truncate task_events',
      'select 1 from schema_migrations',
      "alter function audit_add_month(date) set search_path = ''",
    ];
    expect(await notRefused(appId, statements)).toEqual([]);
  });

  test('write what makes events or the trail', async () => {
    const statements = [
      "insert into unpublished_changes (operation, task_id) values ('INSERT', gen_random_uuid())",
      'select record_unpublished_change()',
      ...(appId === 'chat-api' ? [] : ['insert into outbox default values', 'update outbox set sent_at = null']),
      ...(appId === 'chat-api' ? [] : ['insert into tasks default values', 'update tasks set version = 7']),
      ...(appId === 'audit-logger' ? [] : ['insert into task_events default values']),
      ...(appId === 'notification-service' ? [] : ['insert into notifications default values']),
      ...(appId === 'reminder-service' ? [] : ['insert into reminder_schedule default values']),
    ];
    expect(await notRefused(appId, statements)).toEqual([]);
  });

  test('read what its work does not need', async () => {
    const accounts = ['select email from users', 'select password_hash from users', 'select token_hash from sessions'];
    const statements = [
      'select 1 from live_sessions',
      ...(appId === 'chat-api' ? ['select 1 from task_events'] : [...accounts, 'select title from tasks']),
      ...(appId === 'chat-api' ? [] : ['select 1 from refresh_tokens', 'select 1 from account_codes']),
      ...(appId === 'chat-api' ? [] : ['select 1 from outbox', 'select 1 from idempotency_keys']),
      ...(appId === 'notification-service' ? [] : ['select 1 from notifications']),
      ...(appId === 'reminder-service' ? [] : ['select 1 from reminder_schedule']),
      ...(appId === 'recurring-task-processor' ? ['select 1 from dead_letters'] : []),
    ];
    expect(await notRefused(appId, statements)).toEqual([]);
    const statementsOfOthers = await roles[appId]`
      select query from pg_stat_activity where usename <> current_user and query <> '<insufficient privilege>'`;
    expect([...statementsOfOthers]).toEqual([]);
  });

  test('call the functions of others', async () => {
    const statements = [
      ...(appId === 'audit-logger' ? [] : ["select audit_add_month('2031-01-01')"]),
      ...(appId === 'notification-service' ? [] : ["select live_session_ids('{}')"]),
      ...(['chat-api', 'recurring-task-processor'].includes(appId)
        ? ['select live_session(gen_random_uuid())', "select live_session_by_token('')"]
        : []),
    ];
    expect(await notRefused(appId, statements)).toEqual([]);
  });
});

describe.each(consumers)('dead letters and the role of %s', (appId) => {
  const letterOf = (owner: string) =>
    `insert into dead_letters (app_id, event_id, topic, envelope) values ('${owner}', '${owner}', 't', '{}')`;
  const others = consumers.filter((other) => other !== appId);

  test('it stores, sees, marks and deletes its own', async () => {
    await roles[appId].unsafe(`${letterOf(appId)} on conflict (app_id, event_id) do nothing`);
    expect([...(await roles[appId]`select app_id from dead_letters`)]).toEqual([{ app_id: appId }]);
    expect((await roles[appId]`update dead_letters set replayed_at = now()`).count).toBe(1);
    expect((await roles[appId]`delete from dead_letters`).count).toBe(1);
  });

  test("it neither stores, sees, marks nor deletes another's", async () => {
    expect(await notRefused(appId, [...others, 'recurring-task-processor', ''].map(letterOf))).toEqual([]);
    for (const other of others) await database.sql.unsafe(letterOf(other));
    expect([...(await roles[appId]`select 1 from dead_letters`)]).toEqual([]);
    expect((await roles[appId]`update dead_letters set replayed_at = now()`).count).toBe(0);
    expect((await roles[appId]`delete from dead_letters`).count).toBe(0);
    expect((await database.sql`delete from dead_letters`).count).toBe(others.length);
  });

  test('it cannot give its own to another, nor change what was delivered', async () => {
    await roles[appId].unsafe(letterOf(appId));
    const statements = [`update dead_letters set app_id = '${others[0]}'`, "update dead_letters set envelope = '{}'"];
    expect(await notRefused(appId, statements)).toEqual([]);
    await roles[appId]`delete from dead_letters`;
  });
});

/** A way that is closed is opened for the test alone: the next must be closed by itself. */
describe.each(appIds)('the role of %s, where it may make temporary tables,', (appId) => {
  const role = roleOf(appId);
  const name = new URL(database.url()).pathname.slice(1);
  const open = async (...statements: string[]) => {
    await database.sql.unsafe(`grant temporary on database ${name} to ${role}`);
    for (const statement of statements) await database.sql.unsafe(statement);
  };
  afterEach(async () => {
    await database.sql.unsafe(`revoke temporary on database ${name} from ${role}`);
    await database.sql.unsafe(`revoke execute on function record_unpublished_change() from ${role}`);
  });

  const MINE = 'create temp table mine (id uuid, user_id uuid, title text)';
  const TRIGGER =
    'create trigger forge after insert or delete on mine for each row execute function public.record_unpublished_change()';

  test('cannot hang the trigger of tasks on a table of its own', async () => {
    await open();
    expect(await attempt(appId, MINE)).toBe('done');
    expect(await attempt(appId, `${MINE}; ${TRIGGER}`)).toBe(REFUSED);
  });

  test('would record nothing if it could', async () => {
    await open(`grant execute on function record_unpublished_change() to ${role}`);
    expect(await attempt(appId, `${MINE}; ${TRIGGER}`)).toBe('done');
    const forged = "insert into mine values (gen_random_uuid(), gen_random_uuid(), 'Your account is locked')";
    expect(await attempt(appId, `${MINE}; ${TRIGGER}; ${forged}`)).toBe(REFUSED);
  });

  test('would run nothing as the owner of the function, by a type that casts', async () => {
    await open(`grant execute on function record_unpublished_change() to ${role}`);
    const trick = `
      create type pg_temp.trick as enum ('x');
      create function pg_temp.run(pg_temp.trick) returns uuid language plpgsql as $$
        begin raise exception 'ran as %', current_user using errcode = 'XXXXX'; end $$;
      create cast (pg_temp.trick as uuid) with function pg_temp.run(pg_temp.trick) as assignment;
      create temp table mine (id pg_temp.trick);`;
    expect(await attempt(appId, `${trick} ${TRIGGER}; insert into mine values ('x')`)).toBe(REFUSED);
  });
});

test('the audit logger, where it may make types, runs nothing as the owner of the trail', async () => {
  const name = new URL(database.url()).pathname.slice(1);
  await database.sql.unsafe(`grant temporary on database ${name} to ${roleOf('audit-logger')}`);
  const trick = `
    create function pg_temp.run(pg_catalog.date) returns boolean language plpgsql as $$
      begin raise exception 'ran as %', current_user using errcode = 'XXXXX'; end $$;
    create domain pg_temp.date as pg_catalog.date check (pg_temp.run(value));
    create domain pg_temp.text as pg_catalog.text check (pg_temp.run('2031-01-01'));`;
  expect(await attempt('audit-logger', `${trick} select audit_add_month('2031-01-01'::pg_catalog.date)`)).toBe('done');
  await database.sql.unsafe(`revoke temporary on database ${name} from ${roleOf('audit-logger')}`);
});

test('the trigger of tasks records what a role did that may change tasks and nothing else', async () => {
  const { sql } = database;
  const by = sql(`hand_${crypto.randomUUID()}`);
  await sql`create role ${by}`;
  await sql`grant select, insert, update, delete on tasks to ${by}`;
  const [user, task] = [crypto.randomUUID(), crypto.randomUUID()];
  await sql`insert into users (id, email, password_hash) values (${user}, 'hand@example.com', '')`;
  await sql.begin(async (tx) => {
    await tx`set local role ${by}`;
    await tx`insert into tasks (id, user_id, title) values (${task}, ${user}, 'By hand')`;
    await tx`update tasks set title = 'Again' where id = ${task}`;
    await tx`delete from tasks where id = ${task}`;
  });
  const rows = await sql`select operation from unpublished_changes where task_id = ${task} order by seq`;
  expect(rows.map(({ operation }) => operation)).toEqual(['INSERT', 'UPDATE', 'DELETE']);
  await sql`drop owned by ${by}`;
  await sql`drop role ${by}`;
});
