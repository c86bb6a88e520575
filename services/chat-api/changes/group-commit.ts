import { createBatch } from '#shared/batch';

/** One statement writes at most so many rows: more does not raise throughput and lengthens each answer. */
const ROWS = 100;
/** Statements under way at once. Measured: 3 beat a timer of any length, which only costs. */
const IN_FLIGHT = 3;

/** Writes what comes at the same time together (see createBatch). An item is a list of rows that stand or fall together. */
export const createGroupCommit = <Row>(write: (rows: Row[]) => Promise<unknown>): ((item: Row[]) => Promise<void>) =>
  createBatch({
    write: (items) => write(items.flat()),
    most: ROWS,
    weight: { of: ({ length }) => length, most: ROWS },
    inFlight: IN_FLIGHT,
  });
