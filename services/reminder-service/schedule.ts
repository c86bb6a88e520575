import { isDuplicate, type Pool, type Sql } from '#shared/db';
import type { HeapEntry } from './heap.ts';
import type { Passage } from './lateness.ts';

// The rows of `reminder_schedule` (CONTRACT 6): one a task and slot, written by every event of the task. `created_at` is when
// the trigger time was set on the task, `updated_at` when the task's last event came here, both by the services' clocks.

/** What one task event says about the task's reminder. */
export interface Reminder {
  reminder_id: string;
  task_id: string;
  user_id: string;
  task_version: number;
  trigger_at: Date | null;
  status: 'pending' | 'triggered' | 'cancelled';
  title: string;
  due_date: string | null;
  offset_triggered: string | null;
  recipients: string[];
  correlation_id: string;
  traceparent: string | null;
  /** When the change was made: the event's timestamp. */
  created_at: Date;
}

/** A reminder that fired and whose event is, or was, to be published. */
export interface Fired extends Passage {
  reminder_id: string;
  task_id: string;
  user_id: string;
  task_version: number;
  reminder_type: string;
  title: string;
  due_date: string;
  offset_triggered: string | null;
  recipients: string[];
  correlation_id: string;
  traceparent: string | null;
}

/** What a row says after an event was written into it. */
type Written = Pick<Reminder, 'task_id' | 'task_version' | 'status' | 'trigger_at'>;

/**
 * Writes what events say, each unless its row holds a version as high, and returns the rows that it wrote. Those of a batch go
 * by one statement; before it by another what is moved on within the batch, since a time that was left may fire once more.
 * Which events came before, and in which order, makes no difference, with one exception: a time that has fired once does not
 * become pending again, unless it was left meanwhile. Needs a pool: in a transaction the repetition would find it aborted.
 */
export async function writeReminders(sql: Pool, reminders: Reminder[], now: Date): Promise<Written[]> {
  const { newest, left } = newestOf(reminders);
  const earlier = await upsertReminders(sql, left, now);
  return [...earlier, ...(await upsertReminders(sql, newest, now))];
}

/**
 * Of each task what its newest event says (when its time was set may be told by one before: see `upsert`), and of those that had
 * another time within the batch the last event that said so.
 */
function newestOf(reminders: Reminder[]): { newest: Reminder[]; left: Reminder[] } {
  const newest = new Map<string, Reminder>();
  const left = new Map<string, Reminder>();
  for (const reminder of reminders.toSorted((a, b) => a.task_version - b.task_version)) {
    const before = newest.get(reminder.task_id);
    const isSameTime = before?.trigger_at?.getTime() === reminder.trigger_at?.getTime();
    if (before && !isSameTime) left.set(reminder.task_id, before);
    const isSince = before?.trigger_at && isSameTime;
    newest.set(reminder.task_id, isSince ? { ...reminder, created_at: before.created_at } : reminder);
  }
  return { newest: [...newest.values()], left: [...left.values()] };
}

async function upsertReminders(sql: Pool, reminders: Reminder[], now: Date): Promise<Written[]> {
  if (reminders.length === 0) return [];
  try {
    return await upsert(sql, reminders, now);
  } catch (error) {
    // Two first events of a task at one instant: `on conflict` watches (task_id, slot), and the primary key, which is
    // made of the same, may notice first. Then the other row is committed, and the repetition finds it.
    if (!isDuplicate(error)) throw error;
    return upsert(sql, reminders, now);
  }
}

/** In order of the tasks, so that two replicas with the same ones cannot deadlock. */
function upsert(sql: Pool, reminders: Reminder[], now: Date): Promise<Written[]> {
  const hasFired = sql`(held.claimed_at is not null and held.trigger_at is not distinct from excluded.trigger_at)`;
  return sql<Written[]>`
    insert into reminder_schedule as held (
      reminder_id, task_id, user_id, task_version, trigger_at, status, published_at, title, due_date,
      offset_triggered, recipients, correlation_id, traceparent, created_at, updated_at
    )
    select reminder_id, task_id, user_id, task_version, trigger_at, status,
      case when status = 'triggered' then created_at end, title, due_date,
      offset_triggered, recipients, correlation_id, traceparent, created_at, ${now}
    from jsonb_to_recordset(${sql.json(reminders as never)}) as said (
      reminder_id uuid, task_id uuid, user_id uuid, task_version int, trigger_at timestamptz, status text, title text,
      due_date text, offset_triggered text, recipients uuid[], correlation_id uuid, traceparent text, created_at timestamptz)
    order by task_id
    on conflict (task_id, slot) do update set
      task_version = excluded.task_version,
      trigger_at = excluded.trigger_at,
      status = case when ${hasFired} and excluded.status = 'pending' then 'triggered' else excluded.status end,
      claimed_at = case when ${hasFired} then held.claimed_at end,
      published_at = case when ${hasFired} then coalesce(held.published_at, excluded.published_at) else excluded.published_at end,
      title = excluded.title,
      due_date = excluded.due_date,
      offset_triggered = excluded.offset_triggered,
      recipients = excluded.recipients,
      correlation_id = excluded.correlation_id,
      traceparent = excluded.traceparent,
      created_at = case when held.trigger_at = excluded.trigger_at then held.created_at else excluded.created_at end,
      updated_at = excluded.updated_at
    where excluded.task_version > held.task_version
    returning task_id, task_version, status, trigger_at`;
}

/** Those of a disabled user wait until he is enabled again (CONTRACT 7). */
const isEnabled = (sql: Sql) =>
  sql`not exists (select from users where users.id = reminder_schedule.user_id and disabled_at is not null)`;

/**
 * Makes what is due by `now` fired, oldest first, and returns it. Each row goes to one caller only, whatever the number
 * of replicas; rows that another one has in hand are passed over, so nobody waits and nothing deadlocks.
 */
export async function claimDue(sql: Sql, now: Date, limit: number): Promise<Fired[]> {
  const rows = await sql<Fired[]>`
    with due as (
      select reminder_id from reminder_schedule
      where status = 'pending' and trigger_at <= ${now} and ${isEnabled(sql)}
      order by trigger_at limit ${limit}
      for update skip locked
    )
    update reminder_schedule set status = 'triggered', claimed_at = ${now}, published_at = null
    from due where reminder_schedule.reminder_id = due.reminder_id
    returning ${firedColumns(sql)}`;
  return rows.sort((a, b) => a.trigger_at.getTime() - b.trigger_at.getTime());
}

/** Notes that these were published; not for one that has got another time since. Idempotent. */
export async function markPublished(sql: Sql, fired: Fired[], now: Date): Promise<void> {
  await sql`
    update reminder_schedule set published_at = ${now}
    from unnest(${fired.map((row) => row.reminder_id)}::uuid[], ${fired.map((row) => row.trigger_at.toISOString())}::timestamptz[])
      as done (reminder_id, trigger_at)
    where reminder_schedule.reminder_id = done.reminder_id and reminder_schedule.trigger_at = done.trigger_at
      and claimed_at is not null and published_at is null`;
}

/** A page of what fired before `claimedBefore` and was not published, in the order it fired, from `after` on. */
export async function unpublished(sql: Sql, claimedBefore: Date, after: Fired | null, limit: number): Promise<Fired[]> {
  const from = after
    ? sql`and (claimed_at, trigger_at, reminder_schedule.reminder_id) > (${after.claimed_at}, ${after.trigger_at}, ${after.reminder_id}::uuid)`
    : sql``;
  return sql<Fired[]>`
    select ${firedColumns(sql)} from reminder_schedule
    where status = 'triggered' and published_at is null and claimed_at < ${claimedBefore} ${from}
    order by claimed_at, trigger_at, reminder_id limit ${limit}`;
}

/** How many fired and are not published. */
export async function countUnpublished(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from reminder_schedule where status = 'triggered' and published_at is null`;
  return row?.count ?? 0;
}

/** The pending reminders due by `until`, oldest first, as the heap holds them. */
export async function pendingUntil(sql: Sql, until: Date, limit: number): Promise<HeapEntry[]> {
  const rows = await sql<PendingRow[]>`
    select task_id, task_version, trigger_at from reminder_schedule
    where status = 'pending' and trigger_at <= ${until} and ${isEnabled(sql)}
    order by trigger_at limit ${limit}`;
  return rows.map(entryOf);
}

/** Deletes what was closed before `closedBefore`; what still has to be published is not closed. */
export async function purgeClosed(sql: Sql, closedBefore: Date): Promise<number> {
  const { count } = await sql`
    delete from reminder_schedule
    where (status = 'cancelled' or (status = 'triggered' and published_at is not null))
      and greatest(updated_at, claimed_at, published_at) < ${closedBefore}`;
  return count;
}

interface PendingRow {
  task_id: string;
  task_version: number;
  trigger_at: Date;
}

const entryOf = ({ task_id, task_version, trigger_at }: PendingRow): HeapEntry => ({
  taskId: task_id,
  version: task_version,
  at: trigger_at.getTime(),
});

const firedColumns = (sql: Sql) => sql`
  reminder_schedule.reminder_id, task_id, user_id, task_version, trigger_at, reminder_type, title, due_date,
  offset_triggered, recipients, correlation_id, traceparent, created_at, updated_at, claimed_at`;
