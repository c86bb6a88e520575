import type { Sql } from '#shared/db';
import { endOf, occurrenceAt, occurrences, type Series, seriesOf } from '#shared/recurrence';
import { localDate } from '#shared/zone';
import { type Cause, changed, type Change, deleted } from '../changes/change.ts';
import { columns, copied } from '../changes/columns.ts';
import { withReminder } from '../changes/reminder-status.ts';
import { type SeriesTask, type TaskRow } from '../changes/task-row.ts';
import { deleteTasks, updateTasks } from '../changes/write.ts';
import { inTurns } from './in-turns.ts';
import { nextToCome } from './next-date.ts';
import { copyOf, insertInstances, instanceOf, nextLook } from './template.ts';

/**
 * Writes an edited template and brings its open, unedited instances due from now on after it: those of dates that the
 * rule still has are changed, the others deleted (CONTRACT 7). The caller has locked the series.
 */
export async function updateSeries(
  tx: Sql,
  before: SeriesTask,
  edited: SeriesTask,
  cause: Cause,
): Promise<{ row: TaskRow; changes: Change[] }> {
  if (!changed(before, edited, cause)) return { row: before, changes: [] };
  const series = seriesOf(edited);
  const open = await lockOpenInstances(tx, before.id, cause.now);
  const followers = await inTurns(open, (row) => {
    if (!isUnedited(row, before)) return {};
    return hasDate(series, row.occurrence_date)
      ? { update: follow(row, edited, cause) }
      : { deletion: deleted(row, cause) };
  });
  const updates = followers.flatMap(({ update }) => update ?? []);
  const deletions = followers.flatMap(({ deletion }) => deletion ?? []);
  await updateTasks(tx, updates);
  await deleteTasks(tx, deletions);

  const next = hasNewDates(before, edited) ? await nextDate(tx, edited, cause.now) : null;
  const cursor = next ? next.cursor : before.cursor_date;
  const template = changed(
    before,
    { ...edited, cursor_date: cursor, next_instance_at: nextLook(edited, cursor) },
    cause,
  );
  if (!template) return { row: before, changes: [] };

  await updateTasks(tx, [template]);
  // Not where the date has an open instance.
  const creations = await insertInstances(tx, next?.date ? [instanceOf(edited, next.date, cause.now)] : [], cause);
  return { row: template.row, changes: [template, ...updates, ...deletions, ...creations] };
}

async function lockOpenInstances(tx: Sql, seriesId: string, now: Date): Promise<TaskRow[]> {
  return tx<TaskRow[]>`
    select ${tx(columns)} from tasks
    where parent_recurring_task_id = ${seriesId} and not completed and due_date >= ${now}
    order by id for update`;
}

/** An instance is edited when it differs from what its template made of it; so no flag has to be kept in step. */
function isUnedited(instance: TaskRow, template: SeriesTask): boolean {
  const original = instanceOf(template, instance.occurrence_date ?? '', instance.created_at);
  return copied.every((field) => String(instance[field]) === String(original[field]));
}

function follow(instance: TaskRow, template: SeriesTask, cause: Cause): Change | null {
  const model = instanceOf(template, instance.occurrence_date ?? '', cause.now);
  return changed(instance, withReminder(instance, { ...instance, ...copyOf(model) }, cause.now), cause);
}

const hasDate = (series: Series, date: string | null): boolean =>
  date !== null && occurrences(series, { from: date, to: date, limit: 1 }).length > 0;

function hasNewDates(before: SeriesTask, after: SeriesTask): boolean {
  const rule = (row: SeriesTask) =>
    JSON.stringify([row.recurrence_pattern, row.due_date, row.due_all_day, row.timezone, endOf(row)]);
  return rule(before) !== rule(after);
}

/**
 * The cursor computed anew: what is due by now counts as handled, as does what was done early. The next date gets its instance
 * at once, as the first date of a new series does.
 */
async function nextDate(tx: Sql, row: SeriesTask, now: Date): Promise<{ cursor: string | null; date: string | null }> {
  const series = seriesOf(row);
  const today = localDate(now, series.timezone);
  const handled =
    occurrenceAt(series, today) <= now ? today : Temporal.PlainDate.from(today).subtract({ days: 1 }).toString();
  const { date, passed } = await nextToCome(tx, row, handled, now);
  return { cursor: date ?? passed, date };
}
