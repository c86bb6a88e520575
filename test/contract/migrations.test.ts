import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import postgres from 'postgres';
import { explainGiven } from '../../services/local/state/data.ts';
import { Refusal } from '../../services/local/machine/refusal.ts';
import { applyGrants, migrate, migrateDown, migrations } from '../../db/migrate.ts';
import { runToEnd } from '../support/command.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

/** Every column, constraint, index, trigger, function, view and policy, as text: two equal lists are the same schema. */
const describeSchema = async ({ sql }: TestDatabase) => {
  const rows = await sql<{ line: string }[]>`
    select line from (
      select format('column %s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as line
      from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      union all select format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'public'::regnamespace
      union all select indexdef from pg_indexes where schemaname = 'public'
      union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
      union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
      union all select format('view %s %s', viewname, definition) from pg_views where schemaname = 'public'
      union all select format('policy %s on %s %s %s', policyname, tablename, qual, with_check) from pg_policies where schemaname = 'public'
      union all select format('row security of %s', oid::regclass) from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity
    ) as lines order by line`;
  return rows.map(({ line }) => line);
};

const fill = async ({ sql }: TestDatabase) => {
  await sql`insert into users (id, email, password_hash) values (${crypto.randomUUID()}, 'old@example.com', 'hash')`;
  await sql`insert into tasks (id, user_id, title, description, completed)
    select gen_random_uuid(), id, 'Grüße ' || n, case when n % 2 = 0 then 'x' end, n % 3 = 0 from users, generate_series(1, 20) n`;
};
/** Rows as the bytes that COPY would write. */
const phase4Rows = async ({ sql }: TestDatabase) => [
  await sql`select id::text, user_id::text, title, description, completed, created_at::text, updated_at::text from tasks order by id`,
  await sql`select id::text, email, password_hash, created_at::text, updated_at::text from users order by id`,
];

describe('migrations', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({ phase: 4 });
  });
  afterAll(() => database.drop());

  test('up, down, up leaves the same schema, and Phase IV rows byte for byte', async () => {
    await fill(database);
    const before = await phase4Rows(database);
    await migrate(database.url());
    const schema = await describeSchema(database);
    await database.sql`update tasks set priority = 'high', due_date = now(), version = 3`;

    await migrateDown(database.url(), { to: 1, dropData: true });
    expect(await phase4Rows(database)).toEqual(before);
    await migrate(database.url());
    expect(await describeSchema(database)).toEqual(schema);
    expect(await phase4Rows(database)).toEqual(before);
  });

  test('each version alone goes down and up again', async () => {
    const fresh = await createDatabase({ phase: 4 });
    let schema = await describeSchema(fresh);
    for (const { version, name } of migrations.slice(1)) {
      expect(await migrate(fresh.url(), { to: version })).toEqual([name]);
      const later = await describeSchema(fresh);
      expect(await migrateDown(fresh.url(), { to: version - 1, dropData: true })).toEqual([name]);
      expect(await describeSchema(fresh)).toEqual(schema);
      await migrate(fresh.url(), { to: version });
      schema = later;
      expect(await describeSchema(fresh)).toEqual(schema);
    }
    await fresh.drop();
  });

  test('down refuses to drop data unless told so', async () => {
    await expect(migrateDown(database.url(), { to: 1, dropData: false })).rejects.toThrow('--drop-data');
  });

  test('several processes may migrate at once, and again', async () => {
    const fresh = await createDatabase({ phase: 4 });
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(fresh.url())));
    await fresh.drop();
    expect(applied.flat()).toEqual(migrations.slice(1).map(({ name }) => name));
  });

  test.each(['SQL_ASCII', 'LATIN1'])('refuse a database in %s, and leave it as it is', async (encoding) => {
    const name = `test_${encoding.toLowerCase()}_${crypto.randomUUID().slice(0, 8)}`;
    await database.sql.unsafe(
      `create database ${name} encoding '${encoding}' template template0 locale_provider libc locale 'C'`,
    );
    const url = Object.assign(new URL(database.url()), { pathname: `/${name}` }).href;
    const refusal = await migrate(url).catch((error: unknown) => explainGiven(error, url));
    const sql = postgres(url, { max: 1 });
    const [row] = await sql`select count(*)::int as tables from pg_tables where schemaname = 'public'`;
    await sql.end();
    await database.sql.unsafe(`drop database ${name}`);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(String(refusal)).toContain(`in ${encoding}, and TaskFlow needs UTF8: `);
    expect(row?.tables).toBe(0);
  });

  test('a schema ahead of the code is left alone', async () => {
    await database.sql`insert into schema_migrations (version, name) values (9999, 'from_the_future')`;
    expect(await migrate(database.url())).toEqual([]);
  });

  test('let others go on while one waits for a long read', async () => {
    const fresh = await createDatabase({ phase: 4 });
    const reader = postgres(fresh.url(), { max: 1 });
    const other = postgres(fresh.url(), { max: 1, connection: { statement_timeout: 7000 } }); // as that of the services
    const migrated = await reader.begin(async (tx) => {
      await tx`select count(*) from tasks`;
      const migrating = migrate(fresh.url());
      await eventually(async () => {
        const [row] = await other`
          select exists (select from pg_locks where not granted and relation = 'tasks'::regclass) as is_waiting`;
        return row?.is_waiting === true;
      }, 5000);
      await other`select count(*) from tasks`;
      return { migrating };
    });
    expect(await migrated.migrating).toEqual(migrations.slice(1).map(({ name }) => name));
    await Promise.all([reader.end(), other.end()]);
    await fresh.drop();
  });

  test('grants may be applied again', async () => {
    await applyGrants(database.url());
    await applyGrants(database.url());
  });
});

describe('emails of before they had one form', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({ phase: 4 });
  });
  afterAll(() => database.drop());

  /** Older ones first. */
  const addUsers = (...emails: string[]) => database.sql`
    insert into users (id, email, password_hash, created_at, updated_at)
    select gen_random_uuid(), email, 'hash', '2026-01-01'::timestamptz + n * interval '1 day', '2026-01-01'
    from unnest(${emails}::text[]) with ordinality as given (email, n)`;
  const addCode = (kind: string, email: string) => database.sql`
    insert into account_codes (code_hash, kind, email, expires_at) values (${crypto.randomUUID()}::bytea, ${kind}, ${email}, now())`;

  test('get it, but for one whose form another account has', async () => {
    const marks = ['q\u0307\u0323@example.com', 'q\u0323\u0307@example.com']; // the latter is the form of both
    const given = ['cafe\u0301@example.com', 'e\u0301@example.com', '\u00e9@example.com', 'a@example.com', ...marks];
    await addUsers(...given);
    await addCode('invite', 'i\u0308@example.com');
    await addCode('reset', 'cafe\u0301@example.com');
    await addCode('reset', 'e\u0301@example.com');
    await migrate(database.url());
    const users = await database.sql`select email, updated_at = '2026-01-01' as kept from users order by created_at`;
    expect(users.map(({ email }) => email)).toEqual([
      'caf\u00e9@example.com',
      'e\u0301@example.com',
      '\u00e9@example.com',
      'a@example.com',
      'q\u0307\u0323@example.com',
      'q\u0323\u0307@example.com',
    ]);
    expect(users.every(({ kept }) => kept)).toBe(true);
    const codes = await database.sql`select email from account_codes order by email collate "C"`;
    expect(codes.map(({ email }) => email)).toEqual([
      'caf\u00e9@example.com',
      'e\u0301@example.com',
      '\u00ef@example.com',
    ]);
  });

  test('go to the older of two accounts that come to the same', async () => {
    await migrateDown(database.url(), { to: 1, dropData: true });
    await database.sql`delete from users`;
    await addUsers('\u1e69@example.com'.normalize('NFD'), 's\u0307\u0323@example.com');
    await migrate(database.url());
    const users = await database.sql<{ email: string }[]>`select email from users order by created_at`;
    expect(users.map(({ email }) => email)).toEqual(['\u1e69@example.com', 's\u0307\u0323@example.com']);
  });

  test('keep it when the schema goes down, since nobody knows which had another', async () => {
    await migrateDown(database.url(), { to: 1, dropData: true });
    const rows = await database.sql`select 1 from users where email = ${'\u1e69@example.com'}`;
    expect(rows).toHaveLength(1);
  });
});

test('accounts that an invitation made before are known as such, and no others', async () => {
  const database = await createDatabase({ phase: 4 });
  await database.sql.begin(async (tx) => {
    await tx`insert into users (id, email, password_hash) values (gen_random_uuid(), 'invited@example.com', '')`;
    await tx`
      insert into account_codes (code_hash, kind, email, expires_at, used_at)
      values ('a', 'invite', 'invited@example.com', now(), now()), ('b', 'invite', 'open@example.com', now(), null),
        ('c', 'invite', 'again@example.com', now(), now()), ('d', 'reset', 'reset@example.com', now(), now())`;
  });
  await database.sql`
    insert into users (id, email, password_hash)
    select gen_random_uuid(), name || '@example.com', '' from unnest(array['open', 'again', 'reset', 'other']) name`;
  await migrate(database.url());
  const rows = await database.sql<{ email: string }[]>`select email from users where invited_at is not null`;
  await database.drop();
  expect(rows.map(({ email }) => email)).toEqual(['invited@example.com']);
});

describe('Phase V columns', () => {
  test('of Phase IV tables are all nullable', async () => {
    const database = await createDatabase();
    const old = await createDatabase({ phase: 4 });
    const columns = ({ sql }: TestDatabase) => sql<{ name: string; is_nullable: string }[]>`
      select table_name || '.' || column_name as name, is_nullable from information_schema.columns where table_name in ('users', 'tasks')`;
    const known = new Set((await columns(old)).map(({ name }) => name));
    const added = (await columns(database)).filter(({ name }) => !known.has(name));
    await Promise.all([database.drop(), old.drop()]);
    expect(added.length).toBeGreaterThan(10);
    expect(added.filter(({ is_nullable }) => is_nullable !== 'YES')).toEqual([]);
  });
});

describe('the command', () => {
  const url = 'postgres://nobody@127.0.0.1:1/nothing';
  const run = async (...args: string[]) => {
    const program = join(import.meta.dir, '../../db/migrate.ts');
    const { err, exitCode } = await runToEnd([process.execPath, program, ...args], { DATABASE_URL: url });
    return { said: err, code: exitCode };
  };

  test.each([
    [['down', '--to=abc', '--drop-data'], '--to'],
    [['up', '--to='], '--to'],
    [['down', '--drop-data'], '--to'],
    [['down', '--to=1'], '--drop-data'],
    [['up', '--drop-data'], '--drop-data'],
    [['sideways'], 'sideways'],
    [['up', 'down'], 'up down'],
    [['up', '--fast'], '--fast'],
  ])('refuses %p before it connects', async (args, named) => {
    const { said, code } = await run(...args);
    expect(said).toContain(named);
    expect(said).toContain('usage: ');
    expect(code).toBe(2);
  });
});
