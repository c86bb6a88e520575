import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { datesOfSeries, type PageTask } from '../api.ts';
import { asking } from '../parts/asking.ts';
import { store } from '../state.ts';
import { type Exception, exceptionOf, type Occurrence } from './series.ts';

/** What became of the dates that the rule of a series names; undefined: it is no series that the server keeps. */
export function useExceptions(series: PageTask | null): ((date: Occurrence) => Exception | null) | undefined {
  const left = useSignal<ReadonlySet<string> | null>(null);
  const made = series
    ? [...store.tasks.value.values()].filter((one) => one.parent_recurring_task_id === series.id)
    : [];
  const ids = made.map(({ id }) => id).join();
  useEffect(() => {
    if (!series) return;
    return asking(
      () => datesOfSeries(series.id),
      ({ occurrences }) => (left.value = new Set(occurrences.map(({ occurrence_date: date }) => date))),
      () => {}, // the dates of the rule are shown without it
    );
  }, [series?.id, series?.updated_at, ids]);
  return series ? (date) => exceptionOf(date, left.value, made) : undefined;
}
