import { afterAll, describe, expect, test } from 'bun:test';
import { roleOf } from '../../db/migrate.ts';
import { createDatabase } from '../support/database.ts';

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

describe('a service writes only what it owns', () => {
  test.each(Object.entries(owners))('%s', async (appId, tables) => {
    const rows = await database.sql<{ name: string }[]>`
      select distinct table_name as name from information_schema.role_table_grants
      where grantee = ${roleOf(appId)} and privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
        and table_name <> 'dead_letters' order by 1`;
    expect(rows.map(({ name }) => name)).toEqual(tables);
  });

  test('the audit logger can add to the trail and read it, and nothing else', async () => {
    const rows = await database.sql<{ privilege: string }[]>`
      select privilege_type as privilege from information_schema.role_table_grants
      where grantee = ${roleOf('audit-logger')} and table_name = 'task_events' order by 1`;
    expect(rows.map(({ privilege }) => privilege)).toEqual(['INSERT', 'SELECT']);
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
