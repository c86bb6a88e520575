import { isTransient, type Pool, type Sql } from '#shared/db';
import { isUuid } from '#shared/correlation';
import { ApiError } from '#shared/errors';
import { occurrences, seriesOf } from '#shared/recurrence';
import { isDate } from '#shared/time';
import type { Cause } from '../changes/change.ts';
import { columns } from '../changes/columns.ts';
import { isSeries, type SeriesTask, type TaskRow } from '../changes/task-row.ts';
import { inTurns } from './in-turns.ts';
import { insertInstances, instanceOf, withCursor } from './template.ts';

/** What the recurring-task-processor may ask for: the instance of a date, or only that the cursor moves. */
type Item = { seriesId: string; date: string; createsInstance: boolean };

/** What became of an item: an instance that is new, or the id of one that is there or was; a cursor moved; or why not. */
export type Outcome = { created: TaskRow } | { handled: string } | { moved: true } | { refused: ApiError };

/**
 * Creates instances of series and moves their cursors, all in one transaction, one outcome for each item in order.
 * A date that is there or was handled already is a success; a series that is gone is an error not worth repeating.
 * Any number of processors may ask at once: they queue at the locks of the series.
 */
export async function createInstances(sql: Pool, items: unknown[], cause: Cause): Promise<Outcome[]> {
  try {
    return await sql.begin((tx) => createAll(tx, items, cause));
  } catch (error) {
    if (isTransient(error) || items.length === 1) throw error;
    // One series that cannot be written must not hold up the others.
    const outcomes: Outcome[] = [];
    for (const item of items) {
      outcomes.push(...(await createInstances(sql, [item], cause).catch(failedItem)));
    }
    return outcomes;
  }
}

async function createAll(tx: Sql, given: unknown[], cause: Cause): Promise<Outcome[]> {
  const items = given.map(readItem);
  const before = await lockSeries(
    tx,
    items.filter((item) => item !== null),
  );
  const after = new Map(before);
  const wanted = new Map<string, TaskRow>();

  const outcomes = await inTurns(items, (item): Outcome => {
    if (item === null) return refused(400, 'INVALID_ITEM', 'Expected parent_recurring_task_id and a date.');
    const series = before.get(item.seriesId);
    if (!series) return refused(404, 'SERIES_NOT_FOUND', 'There is no such series any more.');
    if (item.createsInstance && !hasDate(series, item.date))
      return refused(409, 'NOT_AN_OCCURRENCE', 'The series has no occurrence on this date.');
    after.set(series.id, withCursor(after.get(series.id) ?? series, item.date));
    if (!item.createsInstance) return { moved: true };
    const row = instanceOf(series, item.date, cause.now);
    // Handled before: whether it exists or was deleted, it is not made again.
    const isHandled = series.cursor_date !== null && item.date <= series.cursor_date;
    if (!isHandled) wanted.set(row.id, row);
    return { handled: row.id };
  });

  const changes = await insertInstances(tx, [...wanted.values()], cause);
  const inserted = new Map(changes.map(({ row }) => [row.id, row]));
  await moveCursors(
    tx,
    [...after.values()].filter((series) => series !== before.get(series.id)),
  );
  return outcomes.map((outcome) => {
    const created = 'handled' in outcome ? inserted.get(outcome.handled) : undefined;
    if (!created) return outcome;
    inserted.delete(created.id); // each is new once
    return { created };
  });
}

const hasDate = (series: SeriesTask, date: string): boolean =>
  occurrences(seriesOf({ ...series, exdates: null }), { from: date, to: date, limit: 1 }).length > 0;

/** Only of a day that exists: `2026-02-30` would fail the whole statement. */
function readItem(given: unknown): Item | null {
  const item = (given ?? {}) as Record<string, unknown>;
  const date = item.occurrence_date ?? item.advance_past;
  const seriesId = item.parent_recurring_task_id;
  if (typeof seriesId !== 'string' || !isUuid(seriesId) || typeof date !== 'string' || !isDate(date)) return null;
  return { seriesId: seriesId.toLowerCase(), date, createsInstance: item.occurrence_date !== undefined };
}

/** In order of id, so that two processors with the same series do not wait for each other in a ring. */
async function lockSeries(tx: Sql, items: Item[]): Promise<Map<string, SeriesTask>> {
  const rows = await tx<TaskRow[]>`
    select ${tx(columns)} from tasks
    where id = any(${items.map(({ seriesId }) => seriesId)}::uuid[]) and recurrence_pattern is not null
      and not exists (select from users where users.id = tasks.user_id and disabled_at is not null)
    order by id for no key update`;
  return new Map(rows.filter(isSeries).map((row) => [row.id, row]));
}

/** No event and no new version: where the processor stands is not a change of the task. */
export async function moveCursors(tx: Sql, series: SeriesTask[]): Promise<void> {
  if (series.length === 0) return;
  const cursors = series.map(({ id, cursor_date, next_instance_at }) => ({ id, cursor_date, next_instance_at }));
  await tx`
    with moved as materialized (
      select * from jsonb_to_recordset(${tx.json(cursors as never)})
        as moved (id uuid, cursor_date date, next_instance_at timestamptz))
    update tasks set cursor_date = moved.cursor_date, next_instance_at = moved.next_instance_at
    from moved where tasks.id = moved.id and tasks.id = any(array(select id from moved))`;
}

function failedItem(error: unknown): Outcome[] {
  if (isTransient(error)) throw error;
  return [refused(500, 'INTERNAL_ERROR', 'This series could not be written.')];
}

const refused = (...why: ConstructorParameters<typeof ApiError>): Outcome => ({ refused: new ApiError(...why) });
