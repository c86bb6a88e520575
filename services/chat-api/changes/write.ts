import type { Sql } from '#shared/db';
import type { Change } from './change.ts';
import { changing } from './columns.ts';
import type { ReadRow } from './task-row.ts';

// The only statements that change tasks with their events: row and outbox row are written by one statement each, so
// there is no moment and no bug that keeps one without the other.

/**
 * Inserts tasks and their events. What is there already (an instance that another processor made) is left alone and
 * publishes nothing. @returns the ids that were inserted
 */
export async function insertTasks(sql: Sql, changes: Change[]): Promise<Set<string>> {
  if (changes.length === 0) return new Set();
  const rows = await sql<{ task_id: string }[]>`
    with given as materialized (${givenRows(sql, changes)}),
    inserted as (insert into tasks select (task).* from given on conflict do nothing returning id)
    insert into outbox (event_id, event_type, task_id, task_version, event, traceparent)
    select (event ->> 'event_id')::uuid, event ->> 'event_type', (task).id, (task).version, event, traceparent
    from given join inserted on inserted.id = (task).id
    returning task_id`;
  return new Set(rows.map(({ task_id }) => task_id));
}

/** Writes rows that this transaction has locked, and their events. Owner, parent and creation never change. */
export async function updateTasks(sql: Sql, changes: Change[]): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    with given as materialized (${givenRows(sql, changes)}),
    updated as (${updateGiven(sql)})
    ${intoOutbox(sql)}`;
}

/**
 * Writes a row that was read without a lock, and its event, unless anybody has changed or deleted it since. By one
 * statement, where a lock takes three more ways to Postgres. @returns whether it was written
 */
export async function updateUnchanged(sql: Sql, read: ReadRow, change: Change): Promise<boolean> {
  const { count } = await sql`
    with given as materialized (${givenRows(sql, [change])}),
    updated as (${updateGiven(sql)} and tasks.xmin::text = ${read.xmin} returning tasks.id)
    ${intoOutbox(sql)} join updated on updated.id = (task).id`;
  return count > 0;
}

/** Deletes rows that this transaction has locked, and writes their events. */
export async function deleteTasks(sql: Sql, changes: Change[]): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    with given as materialized (${givenRows(sql, changes)}),
    gone as (delete from tasks using given where tasks.id = (task).id and ${amongGiven(sql)})
    ${intoOutbox(sql)}`;
}

/** Writes events whose rows are not to be written: of a task that is gone, or that has changed again since. */
export async function insertEvents(sql: Sql, changes: Change[]): Promise<void> {
  if (changes.length === 0) return;
  await sql`with given as materialized (${givenRows(sql, changes)}) ${intoOutbox(sql)}`;
}

/**
 * The number of the last event of each task, as far as the outbox remembers (7 days), and whether that was its end. An
 * instance that an edit deleted can come back under the same id: its numbers go on.
 */
export async function lastPublished(
  sql: Sql,
  ids: string[],
): Promise<Map<string, { version: number; isDeleted: boolean }>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<{ task_id: string; version: number; is_deleted: boolean }[]>`
    select last.* from unnest(${ids}::uuid[]) as given (id) cross join lateral (
      select task_id, task_version as version, event_type = 'task.deleted' as is_deleted
      from outbox where task_id = given.id order by task_version desc limit 1) as last`;
  return new Map(rows.map(({ task_id, version, is_deleted }) => [task_id, { version, isDeleted: is_deleted }]));
}

/** One parameter whatever the number of rows, so that there is one prepared statement, not one for each size. */
const givenRows = (sql: Sql, changes: Change[]) => sql`
  select jsonb_populate_record(null::tasks, item -> 'row') as task, item -> 'event' as event, item ->> 'traceparent' as traceparent
  from jsonb_array_elements(${sql.json(changes as never)}) as item`;

/**
 * Says again which rows they are, since Postgres takes any list in JSON for 100 rows, for which it reads a table of some
 * thousand from end to end: 0.9 of an update's 1.1 ms.
 */
const amongGiven = (sql: Sql) => sql`tasks.id = any(array(select (task).id from given))`;

const updateGiven = (sql: Sql) => {
  const names = sql`${sql(changing)}`; // a fragment, since behind `update` the driver would make assignments of a list
  return sql`
    update tasks set (${names}) = (select ${names} from (select (task).*) as next)
    from given where tasks.id = (task).id and ${amongGiven(sql)}`;
};

const intoOutbox = (sql: Sql) => sql`
  insert into outbox (event_id, event_type, task_id, task_version, event, traceparent)
  select (event ->> 'event_id')::uuid, event ->> 'event_type', (task).id, (task).version, event, traceparent from given`;
