import { isTransient } from './db.ts';

/**
 * Makes a writer that puts together what comes at the same time, without a timer: an item is written at once while fewer
 * than `inFlight` writes are under way, else with all that has gathered when one returns, in the order in which they came.
 * Each resolves when it is written. Of a batch that is refused (one bad row fails all) each item is written again alone,
 * so that nobody pays for another's error; a transient failure fails all of it. Rejects with what `write` threw.
 */
export function createBatch<Item>({
  write,
  most,
  weight = { of: () => 0, most: 0 },
  key = () => ({}), // its own
  inFlight = 1,
}: {
  write: (items: Item[]) => Promise<unknown>;
  /** Items of one write. */
  most: number;
  /** What the items of one write may weigh together; a heavier one is written alone. */
  weight?: { of: (item: Item) => number; most: number };
  /** An item whose key waits already takes the place of the other, and both resolve with it. */
  key?: (item: Item) => unknown;
  inFlight?: number;
}): (item: Item) => Promise<void> {
  const waiting = new Map<unknown, Waiting<Item>>();
  let underWay = 0;

  function flush(): void {
    while (underWay < inFlight && waiting.size > 0) {
      underWay += 1;
      void commit(next()).finally(() => {
        underWay -= 1;
        flush();
      });
    }
  }

  function next(): Waiting<Item>[] {
    const batch: Waiting<Item>[] = [];
    let weighs = 0;
    for (const [id, entry] of waiting) {
      weighs += weight.of(entry.item);
      if (batch.length === most || (batch.length > 0 && weighs > weight.most)) break;
      batch.push(entry);
      waiting.delete(id);
    }
    return batch;
  }

  async function commit(batch: Waiting<Item>[]): Promise<void> {
    try {
      await write(batch.map(({ item }) => item));
      for (const { done } of batch) done.resolve();
    } catch (error) {
      if (batch.length === 1 || isTransient(error)) {
        for (const { done } of batch) done.reject(error);
        return;
      }
      for (const entry of batch) await commit([entry]);
    }
  }

  return (item) => {
    const id = key(item);
    const done = waiting.get(id)?.done ?? Promise.withResolvers<void>();
    waiting.set(id, { item, done });
    flush();
    return done.promise;
  };
}

type Waiting<Item> = { item: Item; done: PromiseWithResolvers<void> };
