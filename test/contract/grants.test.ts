import { afterAll, describe, expect, test } from 'bun:test';
import postgres from 'postgres';
import { connect } from '#shared/db';
import { sessionFunctions } from '#shared/sessions';
import { applyGrants, migrate, roleOf } from '../../db/migrate.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

const database = await createDatabase();
afterAll(() => database.drop());

/** The owner column of CONTRACT 2: the only service that writes a table. Dead letters have a row owner: each consumer. */
const owners: Record<string, string[]> = {
  'chat-api': [
    'account_codes',
    'idempotency_keys',
    'outbox',
    'refresh_tokens',
    'sessions',
    'tasks',
    'unpublished_changes',
    'users',
  ],
  'notification-service': ['notification_counters', 'notification_preferences', 'notifications'],
  'reminder-service': ['reminder_schedule'],
  'audit-logger': ['task_events'],
  'recurring-task-processor': [],
};

const ALL = 'SELECT INSERT UPDATE DELETE';
const deadLetters = { dead_letters: 'SELECT INSERT UPDATE(replayed_at) DELETE' };
const sessions = { 'live_session(uuid)': 'EXECUTE', 'live_session_by_token(bytea)': 'EXECUTE' };

/** All that a service's role can do in the database, by whatever way it came to it. */
const rights: Record<string, Record<string, string>> = {
  'chat-api': {
    account_codes: ALL,
    ...deadLetters,
    idempotency_keys: ALL,
    outbox: ALL,
    refresh_tokens: ALL,
    'latest_reminder_at(timestamp with time zone,timestamp with time zone,boolean,interval)': 'EXECUTE',
    'search_form(text)': 'EXECUTE',
    sessions: ALL,
    tasks: ALL,
    unpublished_changes: 'SELECT UPDATE(new_row,old_row,parked_at,parked_reason) DELETE',
    users: ALL,
  },
  'notification-service': {
    ...deadLetters,
    ...sessions,
    'live_session_ids(uuid[])': 'EXECUTE',
    notification_counters: 'SELECT INSERT UPDATE',
    notification_preferences: 'SELECT INSERT UPDATE',
    notifications: ALL,
  },
  'reminder-service': { ...deadLetters, ...sessions, reminder_schedule: ALL, users: 'SELECT(disabled_at,id)' },
  'audit-logger': {
    ...deadLetters,
    ...sessions,
    'audit_add_month(date)': 'EXECUTE',
    task_events: 'SELECT INSERT',
  },
  'recurring-task-processor': {
    tasks:
      'SELECT(catch_up,cursor_date,due_all_day,due_date,exdates,id,next_instance_at,recurrence_end_date,recurrence_end_day,recurrence_pattern,reminder_offset,timezone,user_id)',
    users: 'SELECT(disabled_at,id)',
  },
};

/** Own, inherited and everybody's rights together, as Postgres itself would decide. */
async function rightsOf(role: string): Promise<Record<string, string>> {
  const rows = await database.sql<{ name: string; rights: string }[]>`
    with relation as (
      select oid, relname::text as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') and not relispartition
    ), verb (word, rank) as (
      select * from unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) with ordinality
    ), held as (
      select name, rank, word from relation, verb where has_table_privilege(${role}, oid, word)
      union all
      select name, rank, format('%s(%s)', word, string_agg(attname, ',' order by attname))
      from relation join pg_attribute on attrelid = oid and attnum > 0 and not attisdropped, verb
      where word in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') and not has_table_privilege(${role}, oid, word)
        and has_column_privilege(${role}, oid, attnum, word)
      group by name, rank, word
      union all
      select oid::regprocedure::text, 1, 'EXECUTE' from pg_proc
      where pronamespace = 'public'::regnamespace and has_function_privilege(${role}, oid, 'execute')
      union all
      select 'schema public', 1, 'CREATE' where has_schema_privilege(${role}, 'public', 'create')
      union all
      select 'database', rank, word from unnest('{CREATE,TEMPORARY}'::text[]) with ordinality as d (word, rank)
      where has_database_privilege(${role}, current_database(), word)
    )
    select name, string_agg(word, ' ' order by rank) as rights from held group by name order by name`;
  return Object.fromEntries(rows.map(({ name, rights }) => [name, rights]));
}

describe('a service writes only what it owns', () => {
  test.each(Object.entries(owners))('%s', async (appId, tables) => {
    const written = Object.entries(await rightsOf(roleOf(appId))).filter(([, words]) => /INS|UPD|DEL|TRU/.test(words));
    expect(written.map(([name]) => name).filter((name) => name !== 'dead_letters')).toEqual(tables);
  });

  test('the owner of the trail cannot log in', async () => {
    const [row] = await database.sql`
      select rolcanlogin, tableowner from pg_roles join pg_tables on tableowner = rolname where tablename = 'task_events'`;
    expect(row).toEqual({ rolcanlogin: false, tableowner: 'taskflow_audit_owner' });
  });

  test('every table has an owner', async () => {
    const rows = await database.sql<{ name: string }[]>`
      select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'task_events_%' order by 1`;
    const known = new Set([...Object.values(owners).flat(), 'dead_letters', 'schema_migrations']);
    expect(rows.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('a role has what its service needs and nothing else', () => {
  test.each(Object.entries(rights))('%s', async (appId, expected) => {
    expect(await rightsOf(roleOf(appId))).toEqual(expected);
  });

  test('everybody has nothing', async () => {
    expect(await rightsOf('public')).toEqual({});
  });

  test('no role of a service is a member of another, or has an attribute beyond its login', async () => {
    const roles = Object.keys(owners).map(roleOf);
    const members = await database.sql`select 1 from pg_auth_members where member::regrole::text = any(${roles})`;
    const attributes = await database.sql`
      select rolname from pg_roles where rolname = any(${roles})
        and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)`;
    expect([members.length, attributes.length]).toEqual([0, 0]);
  });
});

describe('a function that runs as its owner', () => {
  test('looks for names where its caller can put none', async () => {
    const rows = await database.sql`
      select oid::regprocedure::text as name, proconfig from pg_proc
      where pronamespace = 'public'::regnamespace and prosecdef
        and proconfig is distinct from '{"search_path=pg_catalog, pg_temp"}'`;
    expect([...rows]).toEqual([]);
  });

  test('has an owner that cannot log in and can do what the function needs, no more', async () => {
    const rows = await database.sql<{ owner: string }[]>`
      select distinct proowner::regrole::text as owner from pg_proc join pg_roles r on r.oid = proowner
      where pronamespace = 'public'::regnamespace and prosecdef and not rolcanlogin and not rolsuper order by 1`;
    expect(rows.map(({ owner }) => owner)).toEqual([
      'taskflow_audit_owner',
      'taskflow_change_recorder',
      'taskflow_session_reader',
    ]);
    expect(await rightsOf('taskflow_change_recorder')).toEqual({
      'record_unpublished_change()': 'EXECUTE',
      unpublished_changes: 'INSERT',
    });
    expect(await rightsOf('taskflow_session_reader')).toEqual({
      'live_session(uuid)': 'EXECUTE',
      'live_session_by_token(bytea)': 'EXECUTE',
      'live_session_ids(uuid[])': 'EXECUTE',
      live_sessions: 'SELECT',
    });
    expect(await rightsOf('taskflow_audit_owner')).toMatchObject({ 'schema public': 'CREATE' });
  });
});

/** A role of the test's own that owns the schema but not the database, and the URL by which it logs in. */
async function createOwner({ sql, url }: TestDatabase, attributes = ''): Promise<{ name: string; url: string }> {
  const [name, own] = [`owner_${crypto.randomUUID().replaceAll('-', '')}`, new URL(url())];
  await sql.unsafe(`create role ${name} login password 'owner' ${attributes}`);
  await sql.unsafe(`alter schema public owner to ${name}`);
  [own.username, own.password] = [name, 'owner'];
  return { name, url: own.href };
}

/** The role goes after the database, which holds what it owns. */
async function removeOwner(empty: TestDatabase, name: string): Promise<void> {
  await empty.drop();
  await database.sql.unsafe(`drop role ${name}`);
}

async function addMonth({ url }: TestDatabase, day: string): Promise<void> {
  const sql = postgres(url('audit-logger'), { max: 1, onnotice() {} });
  await sql`select audit_add_month(${day})`.finally(() => sql.end());
}

describe('applyGrants', () => {
  test('a second time leaves the audit logger its months', async () => {
    for (const day of ['2031-01-01', '2031-02-01']) {
      expect(await applyGrants(database.url())).toEqual([]);
      await addMonth(database, day);
    }
  });

  test('closes a database that was open to everybody', async () => {
    const [name] = new URL(database.url()).pathname.split('/').slice(1);
    await database.sql.unsafe(`grant temporary on database ${name} to public`);
    await database.sql`grant create on schema public to public`;
    await database.sql`grant execute on all functions in schema public to public`;
    await applyGrants(database.url());
    expect(await rightsOf('public')).toEqual({});
  });

  test('by an owner of the schema alone, who is no superuser, says what stays open', async () => {
    const empty = await createDatabase({ phase: 0 });
    const owner = await createOwner(empty, 'createrole');
    const known = [...Object.keys(rights).map(roleOf), 'taskflow_audit_owner', 'taskflow_session_reader'];
    // As if it had created them: they belong to the server, where another test may have been first.
    const [server] = await database.sql`select current_setting('server_version_num')::int >= 160000 as can_admin_only`;
    const option = server?.can_admin_only ? 'admin option, inherit false, set false' : 'admin option';
    for (const role of [...known, 'taskflow_change_recorder']) {
      await database.sql.unsafe(`grant ${role} to ${owner.name} with ${option}`);
    }
    await migrate(owner.url);
    await empty.sql.unsafe(`grant temporary on database ${new URL(empty.url()).pathname.slice(1)} to public`);
    expect(await applyGrants(owner.url)).toEqual(['create temporary tables', 'create large objects']);
    await addMonth(empty, '2031-01-01');
    await removeOwner(empty, owner.name);
  });
});

describe('a database whose owner may create no roles', () => {
  test('serves every service by that owner alone', async () => {
    const empty = await createDatabase({ phase: 0 });
    const owner = await createOwner(empty);
    await migrate(owner.url);
    await expect(applyGrants(owner.url)).rejects.toThrow('permission denied');
    const sql = connect(owner.url, { name: 'test', max: 1 });
    for (const appId of ['reminder-service', 'audit-logger']) {
      await sql`insert into dead_letters (app_id, event_id, topic, envelope) values (${appId}, 'e', 't', '{}')`;
    }
    expect(await sql`select 1 from dead_letters`).toHaveLength(2);
    expect(await sessionFunctions(sql).byId(crypto.randomUUID())).toBeUndefined();
    await sql`select audit_add_month('2031-01-01')`;
    await sql.end();
    await removeOwner(empty, owner.name);
  });
});
