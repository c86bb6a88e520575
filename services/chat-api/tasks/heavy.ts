import { lateness } from '#shared/deadline';
import { createPlaces, endEarly, type Places } from '#shared/places';
import type { Computing } from '../series/dates.ts';
import type { TaskInput } from './fields.ts';

/** Whose request it is. */
export interface By {
  request: Request;
  userId: string;
}

/**
 * What takes a core or the event loop for long: of one user a piece of each kind at a time, in the stead of a place among all
 * that is worked on for him, so that whoever searches can have a list beside it.
 */
export function createHeavy() {
  /** A search reads every title and description of its user: seconds of a core where there are many. */
  const searches = createPlaces({ perKey: 1 });
  const changes = createPlaces({ perKey: 1 });
  /** The events of 100 tasks cost all services many times what the batch costs this one: 235 tasks a second are a core. */
  const batches = createPlaces({ perKey: 1, restFactor: 16 });
  /** The dates of a rule are sought at a stretch: 3 ms a date at the worst, and 80 to count them to a late one. */
  const rules = createPlaces({ perKey: 1, restFactor: 4 });

  return {
    searching: inPlace(searches),
    batching: inPlace(batches),
    /** For what moves many tasks. */
    changing: inPlace(changes),
    seeking: inPlace(rules),
    /** As `seeking`, in what has a place already: a creation may have begun a transaction. */
    seekingWithin:
      ({ request, userId }: By): Computing =>
      (work) =>
        rules.within(userId, work, lateness(request)),
  };
}

const inPlace =
  (places: Places) =>
  ({ request, userId }: By) =>
  <T>(work: () => T | Promise<T>): Promise<T> => {
    endEarly(request);
    return places.within(userId, work, lateness(request));
  };

/** Whether a change may be that of a rule: then all dates of a series are sought anew. */
export const movesDates = (input: TaskInput): boolean =>
  (['recurrence_pattern', 'recurrence_end_date', 'due_date', 'timezone'] as const).some((field) => field in input);
