import { lateness } from '#shared/deadline';
import { createPlaces, endEarly, type Places } from '#shared/places';
import type { Computing } from '../series/dates.ts';

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
  /** The events of 100 tasks cost all services many times what the batch costs this one: 235 tasks a second are a core. */
  const batches = createPlaces({ perKey: 1, restFactor: 16 });
  /** Each instance of a series has an event of its own, which costs what one of a batch does. */
  const changes = createPlaces({ perKey: 1, restFactor: 16 });
  /** The dates of a rule are sought at a stretch: 3 ms a date at the worst, and 80 to count them to a late one. */
  const rules = createPlaces({ perKey: 1, restFactor: 4 });

  return {
    searching: inPlace(searches),
    batching: inPlace(batches),
    /** For what may change or delete all instances of a series; a change of one task needs no such place. */
    changing: (by: By, isOfSeries: boolean): InPlace => (isOfSeries ? inPlace(changes)(by) : async (work) => work()),
    seeking: inPlace(rules),
    /** As `seeking`, in what has a place already: a creation may have begun a transaction. */
    seekingWithin:
      ({ request, userId }: By): Computing =>
      (work) =>
        rules.within(userId, work, lateness(request)),
  };
}

type InPlace = <T>(work: () => T | Promise<T>) => Promise<T>;

const inPlace =
  (places: Places) =>
  ({ request, userId }: By): InPlace =>
  (work) => {
    endEarly(request);
    return places.within(userId, work, lateness(request));
  };
