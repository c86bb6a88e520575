import type { PageTask } from '../api.ts';
import { zone } from '../session.ts';
import { changes, store } from '../state.ts';
import { nameOf } from '../words.ts';
import { datesOf, removalWords } from './series.ts';

/** Deletes tasks, skips dates or deletes series with their dates, and says of a single one which of these it was. */
export function removeTasks(tasks: PageTask[]): void {
  const dates = tasks.flatMap((task) => datesOf(task, store.tasks.value.values()));
  const [one] = tasks;
  const words = one && tasks.length === 1 ? removalWords(one, dates.length, zone.value) : `Deleted: ${nameOf(tasks)}`;
  changes.remove(tasks, words, dates);
}
