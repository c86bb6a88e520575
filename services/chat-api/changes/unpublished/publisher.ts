import { isDataError, type Pool, type Sql } from '#shared/db';
import type { Log } from '#shared/log';
import type { Job } from '#shared/loop';
import type { Metrics } from '#shared/metrics';
import { columns } from '../columns.ts';
import { excludeDate, type TaskRow } from '../task-row.ts';
import { insertEvents, lastPublished } from '../write.ts';
import { eventsOf } from './conversion.ts';
import { observeUnpublished } from './unpublished-metrics.ts';
import { type ChangeRow, deleteChanges, oldestChanges, parkChange, type WaitingChange, withRows } from './waiting.ts';

/** Changes made into events in one transaction. */
const ROWS = 500;
const POLL_MS = 1000;
/** Arbitrary but fixed: one chat-api at a time turns changes into events, so that their order is kept. */
const CHANGES_LOCK = 7_203_115;

/**
 * Publishes what code that does not publish (Phase IV, SQL by hand) did to tasks: each row of `unpublished_changes`
 * becomes an event through the outbox, in order, and goes in the same transaction. Numbers go on where the task's
 * events ended; the last event of a task that still exists carries the task as it is now. A change that cannot become an
 * event is parked: its task waits, the others flow.
 */
export function createChangePublisher({
  sql,
  log,
  metrics,
  committed,
}: {
  sql: Pool;
  log: Log;
  metrics: Metrics;
  committed: () => void;
}) {
  observeUnpublished(sql, metrics);

  /** @returns how many changes were read; 0 also when another replica is at it */
  async function runOnce(): Promise<number> {
    const { changes, events, parked } = await publishWaiting();
    if (events > 0) committed();
    if (changes > 0) log.info('changes made without events were published', { changes, events });
    return changes + parked;
  }

  /** In one transaction, or each in its own when one of them cannot become an event. */
  async function publishWaiting(): Promise<Outcome> {
    try {
      return await sql.begin(async (tx) => publish(tx, await lockedChanges(tx, ROWS)));
    } catch (error) {
      if (!isFaultOfChange(error)) throw error;
      return publishSingly();
    }
  }

  async function publishSingly(): Promise<Outcome> {
    const total = { changes: 0, events: 0, parked: 0 };
    while (total.changes + total.parked < ROWS) {
      const { changes, events, parked } = await publishNext();
      if (changes + parked === 0) break;
      total.changes += changes;
      total.events += events;
      total.parked += parked;
    }
    return total;
  }

  async function publishNext(): Promise<Outcome> {
    const [outcome, report] = await sql.begin(async (tx) => {
      const [change] = await lockedChanges(tx, 1);
      if (!change) return [NOTHING] as const;
      try {
        return [await tx.savepoint((savepoint) => publish(savepoint, [change]))] as const;
      } catch (error) {
        if (!isFaultOfChange(error)) throw error;
        await parkChange(tx, change.seq, error.message);
        const { seq, task_id, operation } = change;
        return [
          { ...NOTHING, parked: 1 },
          { seq, task_id, operation, reason: error.message },
        ] as const;
      }
    });
    if (report) log.error('unpublished change parked', report);
    return outcome;
  }

  async function catchUp(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted && (await runOnce()) === ROWS);
  }

  return { job: { name: 'changes', everyMs: POLL_MS, runOnce: catchUp } satisfies Job, runOnce };
}

/** How many changes became how many events, and how many were set aside. */
type Outcome = { changes: number; events: number; parked: number };
const NOTHING: Outcome = { changes: 0, events: 0, parked: 0 };

/** Whether the change is to blame, not the database: that would be away, or lack a right, for every one of them. */
const isFaultOfChange = (error: unknown): error is Error =>
  error instanceof Error && (!('code' in error) || isDataError(error));

/** The oldest changes, while this transaction is the only one that reads them; none while another is. */
async function lockedChanges(tx: Sql, limit: number): Promise<WaitingChange[]> {
  const [lock] = await tx<{ held: boolean }[]>`select pg_try_advisory_xact_lock(${CHANGES_LOCK}) as held`;
  return lock?.held ? oldestChanges(tx, limit) : [];
}

async function publish(tx: Sql, waiting: WaitingChange[]): Promise<Outcome> {
  if (waiting.length === 0) return NOTHING;
  const rows = await withRows(tx, waiting);
  await excludeDeletedDates(tx, rows); // first, since a series is locked before its instances everywhere
  const taskIds = [...new Set(waiting.map(({ task_id }) => task_id))].sort();
  const present = await lockTasks(tx, taskIds);
  const published = await lastPublished(tx, taskIds);

  let events = 0;
  for (const [taskId, own] of Map.groupBy(rows, ({ task_id }) => task_id)) {
    const known = published.get(taskId) ?? { version: 0, isDeleted: false };
    events += await publishTask(tx, own, present.get(taskId) ?? null, known);
  }
  await deleteChanges(tx, waiting);
  return { changes: waiting.length, events, parked: 0 };
}

/** Of instances: whoever deleted them knew of no series. */
async function excludeDeletedDates(tx: Sql, rows: ChangeRow[]): Promise<void> {
  for (const { operation, old } of rows) {
    const seriesId = old?.parent_recurring_task_id;
    if (operation === 'DELETE' && seriesId) await excludeDate(tx, seriesId, old.occurrence_date);
  }
}

type Published = { version: number; isDeleted: boolean };

/** All events of one task. What happened before a deletion that was published already is no news any more. */
async function publishTask(tx: Sql, rows: ChangeRow[], present: TaskRow | null, known: Published): Promise<number> {
  if (known.isDeleted) return 0;
  const version = Math.max(known.version, present?.version ?? 0, rows[0]?.old?.version ?? 0);
  const changes = eventsOf(rows, present, version);
  await insertEvents(tx, changes);
  const last = changes.at(-1)?.row;
  if (present && last) await keepNumber(tx, rows.at(-1)?.is_last ? last : { ...present, version: last.version });
  return changes.length;
}

/** The row keeps what it has; only the number of its last event and what that said of the reminder are new. */
async function keepNumber(tx: Sql, { id, version, reminder_status, snoozed_until }: TaskRow): Promise<void> {
  await tx`
    update tasks set version = ${version}, reminder_status = ${reminder_status}, snoozed_until = ${snoozed_until}
    where id = ${id}`;
}

async function lockTasks(tx: Sql, ids: string[]): Promise<Map<string, TaskRow>> {
  const rows = await tx<TaskRow[]>`
    select ${tx(columns)} from tasks where id = any(${ids}::uuid[]) order by id for update`;
  return new Map(rows.map((row) => [row.id, row]));
}
