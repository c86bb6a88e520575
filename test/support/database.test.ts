import { afterAll, describe, expect, test } from 'bun:test';
import postgres from 'postgres';
import { createDatabase } from './database.ts';

const database = await createDatabase();
afterAll(() => database.drop());

describe('createDatabase', () => {
  test('is migrated and empty', async () => {
    const [row] = await database.sql`select count(*)::int as tasks from tasks`;
    expect(row).toEqual({ tasks: 0 });
  });

  test('lets each service log in as its own role', async () => {
    const sql = postgres(database.url('chat-api'), { max: 1 });
    const [row] = await sql`select current_user as role`;
    await sql.end();
    expect(row).toEqual({ role: 'taskflow_chat_api' });
  });

  test('has the first migration alone for phase 4', async () => {
    const old = await createDatabase({ phase: 4 });
    const tables = await old.sql`select 1 from pg_tables where tablename in ('tasks', 'outbox')`;
    await old.drop();
    expect(tables.length).toBe(1);
  });
});
