import type { PageTask } from '../api.ts';
import { zone } from '../session.ts';
import { changes, store } from '../state.ts';
import { datesOf, removalWords } from './series.ts';

/** Deletes a task, skips a date or deletes a series with its dates, and says which of these it was. */
export function removeTask(task: PageTask): void {
  const dates = datesOf(task, store.tasks.value.values());
  changes.remove(task, removalWords(task, dates.length, zone.value), dates);
}
