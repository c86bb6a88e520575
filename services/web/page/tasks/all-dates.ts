import * as api from '../api.ts';
import type { PageTask, TaskInput } from '../api.ts';
import { zone } from '../session.ts';
import { changes } from '../state.ts';
import { changesOf, type Draft, draftOf, dueOf, zoneOf } from './draft.ts';

/** A time of all dates is that of the series, on the day that it began. @throws {ApiError} */
export async function saveTimeOfSeries(date: PageTask, input: TaskInput, time: string): Promise<void> {
  const { task: series, etag } = await api.readForEdit(date.parent_recurring_task_id ?? date.id);
  const { day } = draftOf(series, zone.value);
  await changes.save(series, { ...input, due_date: dueOf({ day, time }, zoneOf(series, zone.value)) }, { etag });
}

/**
 * A date that is late, or was changed before, does not follow its series: what was typed in it (`input`, of `draft`) is sent
 * for itself. @throws {ApiError}
 */
export async function saveRest({ id }: PageTask, input: TaskInput, draft: Draft): Promise<void> {
  const kept = await api.readForEdit(id).catch(() => null); // said by what reads it next
  if (!kept) return;
  const left = Object.entries(changesOf(draft, kept.task, zone.value)).filter(([field]) => field in input);
  if (left.length > 0) await changes.save(kept.task, Object.fromEntries(left), { etag: kept.etag });
}
