import type { Sql } from '#shared/db';
import { nextOccurrenceAfter, occurrenceAt, seriesOf } from '#shared/recurrence';
import type { Cause, Change } from '../changes/change.ts';
import { columns } from '../changes/columns.ts';
import { isSeries, type TaskRow } from '../changes/task-row.ts';
import { moveCursors } from './instances.ts';
import { insertInstances, instanceOf, withCursor } from './template.ts';

/** A year and a day. */
const AHEAD_MS = 366 * 24 * 3_600_000;

/** Locks the series of an instance, before the instance itself, as everywhere: then nobody can wait for the other in a ring. */
export async function lockParent(tx: Sql, { parent_recurring_task_id: seriesId }: TaskRow): Promise<void> {
  if (seriesId !== null) await tx`select 1 from tasks where id = ${seriesId} for no key update`;
}

/**
 * Of a series that has no open date to come any more, since one was completed or deleted, the next one is made at once: people look
 * at what is next, and do not wait for the processor. One that was missed is left to the processor and `catch_up`, as is what comes
 * after one that lay more than a year ahead: nobody ticks off a series to the end of time. The caller has locked the series.
 */
export async function insertNextDate(
  tx: Sql,
  seriesId: string,
  { due_date: closed }: Pick<TaskRow, 'due_date'>,
  cause: Cause,
): Promise<Change[]> {
  if (closed !== null && closed.getTime() > cause.now.getTime() + AHEAD_MS) return [];
  const [series] = await tx<TaskRow[]>`
    select ${tx(columns)} from tasks where id = ${seriesId} and not exists (
      select from tasks instance
      where instance.parent_recurring_task_id = ${seriesId} and not instance.completed and instance.due_date > ${cause.now})`;
  if (!series || !isSeries(series)) return [];
  const date = nextOccurrenceAfter(seriesOf(series), series.cursor_date);
  if (date === null || occurrenceAt(seriesOf(series), date) <= cause.now) return [];
  const changes = await insertInstances(tx, [instanceOf(series, date, cause.now)], cause);
  await moveCursors(tx, [withCursor(series, date)]);
  return changes;
}
