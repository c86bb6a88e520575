import { isTransient } from '#shared/db';

/** One statement writes at most so many rows: more does not raise throughput and lengthens each answer. */
const ROWS = 100;
/** Statements under way at once. Measured: 3 beat a timer of any length, which only costs. */
const IN_FLIGHT = 3;

/**
 * Writes what comes at the same time together: at once while fewer than 3 writes are under way, else when one returns.
 * An item is a list of rows that stand or fall together. A group that is refused (one foreign key fails all) is
 * written item by item, so that nobody pays for another's error; a database that is down fails all of it.
 */
export function createGroupCommit<Row>(write: (rows: Row[]) => Promise<unknown>): (item: Row[]) => Promise<void> {
  const waiting: Pending<Row>[] = [];
  let inFlight = 0;

  return (item) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ item, resolve, reject });
    flush();
    return promise;
  };

  function flush(): void {
    while (inFlight < IN_FLIGHT && waiting.length > 0) {
      inFlight += 1;
      void commit(nextGroup(waiting)).finally(() => {
        inFlight -= 1;
        flush();
      });
    }
  }

  async function commit(group: Pending<Row>[]): Promise<void> {
    try {
      await write(group.flatMap(({ item }) => item));
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (group.length === 1 || isTransient(error)) for (const { reject } of group) reject(error);
      else for (const pending of group) await commit([pending]);
    }
  }
}

type Pending<Row> = { item: Row[]; resolve: () => void; reject: (error: unknown) => void };

function nextGroup<Row>(waiting: Pending<Row>[]): Pending<Row>[] {
  let rows = 0;
  const end = waiting.findIndex(({ item }, i) => (rows += item.length) > ROWS && i > 0);
  return waiting.splice(0, end < 0 ? waiting.length : end);
}
