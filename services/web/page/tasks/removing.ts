import { ApiError, datesOfSeries, type PageTask } from '../api.ts';
import { addDays } from '../days.ts';
import { zone } from '../session.ts';
import { changes, store } from '../state.ts';
import { nameOf } from '../words.ts';
import { dateOf, datesOf, removalWords, skipWords } from './series.ts';
import { dueMs } from './views.ts';

/** Deletes tasks, skips dates or deletes series with their dates, and says of a single one which of these it was. */
export function removeTasks(tasks: PageTask[]): void {
  const dates = tasks.flatMap((task) => datesOf(task, store.tasks.value.values()));
  const [one] = tasks;
  const words = one && tasks.length === 1 ? removalWords(one, dates.length, zone.value) : `Deleted: ${nameOf(tasks)}`;
  changes.remove(tasks, words, dates);
  if (one && tasks.length === 1) void showNext(one);
}

/** Behind a date that lies further ahead than a year and a day the server makes no other. */
const AHEAD_MS = 366 * 24 * 3_600_000;

/** What is skipped is deleted later, and only then the server makes the next date: it is shown, and said, before that. */
async function showNext(skipped: PageTask): Promise<void> {
  const { undo } = changes;
  const { value: said } = undo;
  const { occurrence_date: date, parent_recurring_task_id: parent } = skipped;
  const series = store.tasks.value.get(parent ?? '');
  if (!series || date === null || !said || dueMs(skipped) > Date.now() + AHEAD_MS) return;
  try {
    const [next] = (await datesOfSeries(series.id, addDays(date, 1))).occurrences;
    const tasks = store.tasks.value;
    const isBack = tasks.has(skipped.id);
    const other = datesOf(series, tasks.values()).find((task) => dueMs(task) > Date.now());
    const made = next && dateOf(series, next);
    if (isBack || (made && dueMs(made) < Date.now())) return; // one that was missed is made or not, as the series has it
    if (made && !other) store.expect(series.id, made);
    const text = skipWords(skipped, (other ?? made)?.due_date ?? undefined, zone.value);
    if (undo.value === said) undo.value = { ...said, text };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // nobody answers: the next one is seen once it is made
  }
}
