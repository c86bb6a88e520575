import type { Sql } from '#shared/db';
import { columns } from '../columns.ts';
import type { TaskRow } from '../task-row.ts';

/** A change of a task that was made without an event and waits for one. */
export type WaitingChange = {
  seq: number;
  operation: 'INSERT' | 'UPDATE' | 'DELETE';
  task_id: string;
  changed_at: Date;
  /** Nothing else of its task waits behind it. */
  is_last: boolean;
};

/** The task before and after, as the trigger saw it. */
export type ChangeRow = WaitingChange & { old: TaskRow | null; new: TaskRow | null };

/** The oldest that may go. One that is parked holds back its own task and no other. */
export function oldestChanges(tx: Sql, limit: number): Promise<WaitingChange[]> {
  return tx<WaitingChange[]>`
    select seq, operation, task_id, changed_at, not exists (
        select from unpublished_changes as later where later.task_id = change.task_id and later.seq > change.seq
      ) as is_last
    from unpublished_changes as change
    where not exists (
      select from unpublished_changes as parked where parked.task_id = change.task_id and parked.parked_at is not null)
    order by seq limit ${limit}`;
}

/** With both rows in the types of their columns. @throws what Postgres says of one that does not have them */
export async function withRows(tx: Sql, changes: WaitingChange[]): Promise<ChangeRow[]> {
  const seqs = changes.map(({ seq }) => seq);
  const [old, next] = [await snapshots(tx, 'old_row', seqs), await snapshots(tx, 'new_row', seqs)];
  return changes.map((change) => ({ ...change, old: old.get(change.seq) ?? null, new: next.get(change.seq) ?? null }));
}

async function snapshots(tx: Sql, side: 'old_row' | 'new_row', seqs: number[]): Promise<Map<number, TaskRow>> {
  const rows = await tx<(TaskRow & { seq: number })[]>`
    select seq, ${tx(columns)} from unpublished_changes, jsonb_populate_record(null::tasks, ${tx(side)})
    where ${tx(side)} is not null and seq = any(${seqs}::bigint[])`;
  return new Map(rows.map(({ seq, ...row }) => [seq, row]));
}

/** Their events are written. */
export async function deleteChanges(tx: Sql, changes: WaitingChange[]): Promise<void> {
  await tx`delete from unpublished_changes where seq = any(${changes.map(({ seq }) => seq)}::bigint[])`;
}

/** Sets one aside that cannot become an event; `ops changes` lets it go on. */
export async function parkChange(tx: Sql, seq: number, reason: string): Promise<void> {
  await tx`update unpublished_changes set parked_at = now(), parked_reason = ${reason} where seq = ${seq}`;
}

/** What waits: all of it (the parked ones too), the age of the oldest that is not parked, and how many are parked. */
export async function waiting(sql: Sql): Promise<{ waiting: number; oldest_seconds: number; parked: number }> {
  const [row] = await sql<{ waiting: number; oldest_seconds: number; parked: number }[]>`
    select count(*)::int as waiting, count(parked_at)::int as parked,
      coalesce(extract(epoch from now() - min(changed_at) filter (where parked_at is null)), 0)::float8 as oldest_seconds
    from unpublished_changes`;
  return row ?? { waiting: 0, oldest_seconds: 0, parked: 0 };
}
