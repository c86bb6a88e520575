import type { Sql } from '#shared/db';
import { nextOccurrenceAfter, occurrenceAt, seriesOf } from '#shared/recurrence';
import type { Cause, Change } from '../changes/change.ts';
import { columns } from '../changes/columns.ts';
import { isSeries, type SeriesTask, type TaskRow } from '../changes/task-row.ts';
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
 * at what is next, and do not wait for the processor. One that was missed is left to the processor and `catch_up`. The caller has
 * locked the series.
 */
export async function insertNextDate(tx: Sql, seriesId: string, cause: Cause): Promise<Change[]> {
  const [series] = await tx<TaskRow[]>`
    select ${tx(columns)} from tasks where id = ${seriesId} and not exists (
      select from tasks instance
      where instance.parent_recurring_task_id = ${seriesId} and not instance.completed and instance.due_date > ${cause.now})`;
  if (!series || !isSeries(series)) return [];
  const { date, passed } = await nextToCome(tx, series, series.cursor_date, cause.now);
  if (date !== null && occurrenceAt(seriesOf(series), date) <= cause.now) return [];
  const changes = await insertInstances(tx, date === null ? [] : [instanceOf(series, date, cause.now)], cause);
  const reached = date ?? passed;
  if (reached !== null) await moveCursors(tx, [withCursor(series, reached)]);
  return changes;
}

/**
 * The first date after a date that has no instance which is done or overdue, and the last date before it. None is sought behind
 * one that lies more than a year ahead: nobody ticks off a series to the end of time.
 */
export async function nextToCome(
  tx: Sql,
  row: SeriesTask,
  after: string | null,
  now: Date,
): Promise<{ date: string | null; passed: string | null }> {
  const series = seriesOf(row);
  const closed = await closedDates(tx, row.id, after, now);
  let passed = after;
  while (passed === null || occurrenceAt(series, passed).getTime() <= now.getTime() + AHEAD_MS) {
    const date = nextOccurrenceAfter(series, passed);
    if (date === null || !closed.has(date)) return { date, passed };
    passed = date;
  }
  return { date: null, passed };
}

async function closedDates(tx: Sql, seriesId: string, after: string | null, now: Date): Promise<Set<string>> {
  const rows = await tx<{ date: string }[]>`
    select occurrence_date as date from tasks
    where parent_recurring_task_id = ${seriesId} and (${after}::date is null or occurrence_date > ${after}::date)
      and (completed or due_date is null or due_date <= ${now})`;
  return new Set(rows.map(({ date }) => date));
}
