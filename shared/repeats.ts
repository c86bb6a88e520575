/** Not seen for so long, another replica has it or it is done: the sidecar offers an event again after 2 s. */
const FORGOTTEN_AFTER_MS = 60_000;
const REMEMBERED = 10_000;

/** What is being offered again, by name, and since when. In memory and bounded. */
export function createRepeats(now: () => number) {
  const repeats = new Map<string, { since: number; seen: number }>();
  return {
    /** @returns whether one of these comes back for the first time */
    remember(names: string[]): boolean {
      const known = repeats.size;
      for (const name of names) {
        const since = repeats.get(name)?.since ?? now();
        repeats.delete(name); // to the end: the map's order is the order of the last look
        repeats.set(name, { since, seen: now() });
      }
      const isNew = repeats.size > known;
      for (const name of repeats.keys()) {
        if (repeats.size <= REMEMBERED) break;
        repeats.delete(name);
      }
      return isNew;
    },
    forget(names: string[]): void {
      if (repeats.size > 0) for (const name of names) repeats.delete(name);
    },
    oldestMs(): number {
      let oldest = 0;
      for (const [name, { seen, since }] of repeats) {
        if (now() - seen > FORGOTTEN_AFTER_MS) repeats.delete(name);
        else oldest = Math.max(oldest, now() - since);
      }
      return oldest;
    },
  };
}
