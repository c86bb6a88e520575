import type { Pool, Sql } from '#shared/db';
import type { Log } from '#shared/log';
import { createLoop } from '#shared/loop';
import { changed, type Change, created, deleted, type Cause } from './tasks/events.ts';
import { reminderOf } from './tasks/reminder-status.ts';
import { columns, type TaskRow } from './tasks/row.ts';
import { insertEvents, lastPublished } from './tasks/write.ts';

/** Changes made into events in one transaction. */
const ROWS = 500;
const POLL_MS = 1000;
/** Arbitrary but fixed: one chat-api at a time turns changes into events, so that their order is kept. */
const CHANGES_LOCK = 7_203_115;

/**
 * Publishes what code that does not publish (Phase IV, SQL by hand) did to tasks: each row of `unpublished_changes`
 * becomes an event through the outbox, in order, and goes in the same transaction. Numbers go on where the task's
 * events ended; the last event of a task that still exists carries the task as it is now.
 */
export function createChanges({ sql, log, committed }: { sql: Pool; log: Log; committed: () => void }) {
  /** @returns how many changes were read; 0 also when another replica is at it */
  async function runOnce(): Promise<number> {
    const { read, events } = await sql.begin(publishChanges);
    if (events > 0) committed();
    if (read > 0) log.info('changes made without events were published', { changes: read, events });
    return read;
  }

  async function catchUp(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted && (await runOnce()) === ROWS);
  }

  const { start, stop } = createLoop({ name: 'changes', everyMs: POLL_MS, runOnce: catchUp, log });
  return { runOnce, start, stop };
}

async function publishChanges(tx: Sql): Promise<{ read: number; events: number }> {
  const [lock] = await tx<{ held: boolean }[]>`select pg_try_advisory_xact_lock(${CHANGES_LOCK}) as held`;
  const rows = lock?.held ? await oldestChanges(tx) : [];
  if (rows.length === 0) return { read: 0, events: 0 };
  const taskIds = [...new Set(rows.map(({ task_id }) => task_id))].sort();
  const present = await lockTasks(tx, taskIds);
  const published = await lastPublished(tx, taskIds);

  let events = 0;
  for (const [taskId, own] of Map.groupBy(rows, ({ task_id }) => task_id)) {
    const known = published.get(taskId) ?? { version: 0, isDeleted: false };
    events += await publishTask(tx, own, present.get(taskId) ?? null, known);
  }
  await tx`delete from unpublished_changes where seq = any(${rows.map(({ seq }) => seq)}::bigint[])`;
  return { read: rows.length, events };
}

type ChangeRow = { seq: number; task_id: string; changed_at: Date; old: TaskRow | null; new: TaskRow | null };
type Published = { version: number; isDeleted: boolean };

/** All events of one task. What happened before a deletion that was published already is no news any more. */
async function publishTask(tx: Sql, rows: ChangeRow[], present: TaskRow | null, known: Published): Promise<number> {
  if (known.isDeleted) return 0;
  const changes: Change[] = [];
  let version = Math.max(known.version, present?.version ?? 0, rows[0]?.old?.version ?? 0);
  for (const [i, row] of rows.entries()) {
    const after = present && i === rows.length - 1 ? present : row.new;
    const change = changeOf(row.old, after, version, causeOf(row));
    if (!change) continue;
    version += 1;
    changes.push(change);
  }
  await insertEvents(tx, changes);
  const last = changes.at(-1);
  if (present && last) await keepNumber(tx, last.row);
  return changes.length;
}

function changeOf(before: TaskRow | null, after: TaskRow | null, version: number, cause: Cause): Change | null {
  if (before === null) return after && created({ ...withReminder(null, after, cause), version }, cause);
  if (after === null) return deleted({ ...before, version }, cause);
  return changed({ ...before, version }, withReminder(before, after, cause), cause);
}

const withReminder = (before: TaskRow | null, after: TaskRow, { now }: Cause): TaskRow => ({
  ...after,
  ...reminderOf(before, after, now),
});

/** The row keeps what it has; only the number of its last event and what that said of the reminder are new. */
async function keepNumber(tx: Sql, { id, version, reminder_status, snoozed_until }: TaskRow): Promise<void> {
  await tx`
    update tasks set version = ${version}, reminder_status = ${reminder_status}, snoozed_until = ${snoozed_until}
    where id = ${id}`;
}

/** Nobody said who it was. The time is that of the change, so that reminders judge by it. */
const causeOf = ({ changed_at }: ChangeRow): Cause => ({
  actor: { type: 'service', id: 'chat-api' },
  correlationId: crypto.randomUUID(),
  traceparent: null,
  now: changed_at,
});

async function oldestChanges(tx: Sql): Promise<ChangeRow[]> {
  const changes = await tx<{ seq: number; task_id: string; changed_at: Date }[]>`
    select seq, task_id, changed_at from unpublished_changes order by seq limit ${ROWS}`;
  const last = changes.at(-1)?.seq ?? 0;
  const [old, next] = [await snapshots(tx, 'old_row', last), await snapshots(tx, 'new_row', last)];
  return changes.map((change) => ({ ...change, old: old.get(change.seq) ?? null, new: next.get(change.seq) ?? null }));
}

/** Rows kept as JSON, with the types of their columns. */
async function snapshots(tx: Sql, side: 'old_row' | 'new_row', last: number): Promise<Map<number, TaskRow>> {
  const rows = await tx<(TaskRow & { seq: number })[]>`
    select seq, ${tx(columns)} from unpublished_changes, jsonb_populate_record(null::tasks, ${tx(side)})
    where ${tx(side)} is not null and seq <= ${last}`;
  return new Map(rows.map(({ seq, ...row }) => [seq, row]));
}

async function lockTasks(tx: Sql, ids: string[]): Promise<Map<string, TaskRow>> {
  const rows = await tx<TaskRow[]>`
    select ${tx(columns)} from tasks where id = any(${ids}::uuid[]) order by id for update`;
  return new Map(rows.map((row) => [row.id, row]));
}
