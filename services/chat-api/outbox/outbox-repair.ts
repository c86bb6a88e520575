import type { Pool, Sql } from '#shared/db';
import type { TaskEvent } from '#shared/events';
import { invalidity } from '#shared/validity';

/** A row that waits, as `ops outbox list` prints it. */
export type WaitingRow = {
  seq: number;
  event_id: string;
  event_type: string;
  task_id: string;
  task_version: number;
  created_at: Date;
  parked_at: Date | null;
  parked_reason: string | null;
};

/** A repair that cannot be done, said for the operator. */
export class RepairError extends Error {
  override name = 'RepairError';
}

/** What waits in the outbox, the parked rows first. */
export function listOutbox(sql: Sql, { isParked = false, limit = 100 } = {}): Promise<WaitingRow[]> {
  return sql<WaitingRow[]>`
    select seq, event_id, event_type, task_id, task_version, created_at, parked_at, parked_reason from outbox
    where sent_at is null ${isParked ? sql`and parked_at is not null` : sql``}
    order by parked_at is null, seq limit ${limit}`;
}

/** The event of a row, to be looked at or corrected; null when there is none. */
export async function showOutboxEvent(sql: Sql, eventId: string): Promise<unknown> {
  const [row] = await sql<{ event: unknown }[]>`select event from outbox where event_id = ${eventId}`;
  return row?.event ?? null;
}

/**
 * Lets a parked row go on: as it is, or with a corrected event that matches its schema and keeps id, task and version.
 * @throws {RepairError} when it may not, saying why
 */
export async function repairOutboxRow(sql: Pool, eventId: string, corrected?: TaskEvent): Promise<void> {
  await sql.begin(async (tx) => {
    const [row] = await tx<{ event_type: string; task_id: string; task_version: number; event: TaskEvent }[]>`
      select event_type, task_id, task_version, event from outbox
      where event_id = ${eventId} and sent_at is null and parked_at is not null for update`;
    if (!row) throw new RepairError(`There is no parked event ${eventId}.`);
    const event = corrected ?? row.event;
    const problem = invalidity(event) ?? mismatch(event, { event_id: eventId, ...row });
    if (problem !== null) throw new RepairError(problem);
    await tx`
      update outbox set event = ${tx.json(event as never)}, event_type = ${event.event_type},
        parked_at = null, parked_reason = null, claimed_until = null
      where event_id = ${eventId}`;
  });
}

function mismatch(event: TaskEvent, row: { event_id: string; task_id: string; task_version: number }): string | null {
  const field = (['event_id', 'task_id', 'task_version'] as const).find((name) => event[name] !== row[name]);
  return field === undefined ? null : `${field} must stay as it is: consumers know the event by it`;
}
