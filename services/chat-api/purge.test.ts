import { afterAll, expect, test } from 'bun:test';
import { connect } from '#shared/db';
import { createDatabase } from '../../test/support/database.ts';
import { writeEvents } from './outbox/fixture.ts';
import { createPurge } from './purge.ts';

const database = await createDatabase();
const sql = connect(database.url('chat-api'), { name: 'purge', max: 2 });
const purge = createPurge({ sql });
afterAll(async () => {
  await sql.end();
  await database.drop();
});

test('keeps what is not sent or younger than 7 days, and of a deleted instance its last number for 30', async () => {
  const [unsent = '', young = '', old = '', instance = '', ancient = ''] = await writeEvents(database, { tasks: 5 });
  const sent = (ids: string[], age: string) =>
    database.sql`update outbox set sent_at = now() - ${age}::interval where task_id = any(${ids}::uuid[])`;
  await sent([young], '6 days');
  await sent([old, instance], '8 days');
  await sent([ancient], '31 days');
  await database.sql`
    update outbox set event_type = 'task.deleted', event = jsonb_set(event, '{task,parent_recurring_task_id}', '"a"')
    where task_id in (${instance}, ${ancient})`;
  await purge.runOnce();
  const left = await database.sql<{ task_id: string }[]>`select task_id from outbox order by seq`;
  expect(left.map(({ task_id }) => task_id)).toEqual([unsent, young, instance]);
});

test('deletes idempotency keys of everybody after 24 hours', async () => {
  const [user] = await database.sql<{ id: string }[]>`
    insert into users (id, email, password_hash) values (gen_random_uuid(), 'a@example.com', '') returning id`;
  await database.sql`
    insert into idempotency_keys (user_id, path, key, request_hash, status, headers, body, created_at)
    select ${user?.id ?? ''}, '/', age, '', 201, '{}', '', now() - age::interval from unnest(array['23 hours', '25 hours']) age`;
  await purge.runOnce();
  const left = await database.sql<{ key: string }[]>`select key from idempotency_keys`;
  expect(left.map(({ key }) => key)).toEqual(['23 hours']);
});

test('deletes sessions and API tokens that have expired, and no others', async () => {
  const [user] = await database.sql<{ id: string }[]>`
    insert into users (id, email, password_hash) values (gen_random_uuid(), 'b@example.com', '') returning id`;
  await database.sql`
    insert into sessions (id, user_id, kind, name, token_hash, expires_at)
    select gen_random_uuid(), ${user?.id ?? ''}, kind, kind || ' ' || age, case kind when 'token' then age::bytea end, now() + age::interval
    from (values ('login', '-1 minute'), ('login', '1 minute'), ('token', '-1 minute'), ('token', '1 minute')) as made (kind, age)`;
  await database.sql`
    insert into sessions (id, user_id, kind, name, token_hash)
    values (gen_random_uuid(), ${user?.id ?? ''}, 'token', 'without end', 'x')`;
  await purge.runOnce();
  const left = await database.sql<{ name: string }[]>`select name from sessions order by name`;
  expect(left.map(({ name }) => name)).toEqual(['login 1 minute', 'token 1 minute', 'without end']);
});
