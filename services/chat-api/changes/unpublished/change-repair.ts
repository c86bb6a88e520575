import type { Pool, Sql } from '#shared/db';
import { ChangeError, eventsOf } from './conversion.ts';
import { withRows, type WaitingChange } from './waiting.ts';

/** A change that waits, as `ops changes list` prints it. */
export type ListedChange = WaitingChange & { parked_reason: string | null };

/** The two sides of a change, as the trigger writes them. */
export type Sides = { old_row: unknown; new_row: unknown };

/** What waits, the parked ones first. */
export function listChanges(sql: Sql, limit = 100): Promise<ListedChange[]> {
  return sql<ListedChange[]>`
    select seq, operation, task_id, changed_at, parked_reason from unpublished_changes
    order by parked_at is null, seq limit ${limit}`;
}

/** The rows of a change, to be looked at or corrected; null when there is no such change. */
export async function showChange(sql: Sql, seq: number): Promise<Sides | null> {
  const [row] = await sql<Sides[]>`select old_row, new_row from unpublished_changes where seq = ${seq}`;
  return row ?? null;
}

/** Lets parked changes go on as they are: this one, or all. @returns how many */
export async function repairChanges(sql: Sql, seq: number | 'all'): Promise<number> {
  const { count } = await sql`
    update unpublished_changes set parked_at = null, parked_reason = null
    where parked_at is not null ${seq === 'all' ? sql`` : sql`and seq = ${seq}`}`;
  return count;
}

/**
 * Lets a parked change go on with these rows. False: it is not parked.
 * @throws {ChangeError} when they cannot become an event either, saying why
 */
export function correctChange(sql: Pool, seq: number, { old_row, new_row }: Sides): Promise<boolean> {
  return sql.begin(async (tx) => {
    const [change] = await tx<WaitingChange[]>`
      update unpublished_changes set parked_at = null, parked_reason = null,
        old_row = ${jsonOf(tx, old_row)}, new_row = ${jsonOf(tx, new_row)}
      where seq = ${seq} and parked_at is not null
      returning seq, operation, task_id, changed_at, false as is_last`;
    if (!change) return false;
    try {
      eventsOf(await withRows(tx, [change]), null, 0);
    } catch (error) {
      throw error instanceof Error ? new ChangeError(error.message, { cause: error }) : error;
    }
    return true;
  });
}

/** Forgets a parked change: no event tells of it. False: it is not parked. */
export async function dropChange(sql: Sql, seq: number): Promise<boolean> {
  const { count } = await sql`delete from unpublished_changes where seq = ${seq} and parked_at is not null`;
  return count > 0;
}

/** A side that there is not is no JSON null. */
const jsonOf = (sql: Sql, side: unknown) => (side === null || side === undefined ? null : sql.json(side as never));
