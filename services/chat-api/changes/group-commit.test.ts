import { describe, expect, test } from 'bun:test';
import { DeadlineError } from '#shared/db';
import { createGroupCommit } from './group-commit.ts';

/** A write that ends when the test says so. */
function heldWrites() {
  const writes: { rows: number[]; done: () => void }[] = [];
  const write = (rows: number[]) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    writes.push({ rows, done: resolve });
    return promise;
  };
  return { writes, commit: createGroupCommit<number>(write) };
}

describe('createGroupCommit', () => {
  test('writes at once while fewer than 3 are under way, then what has gathered when one returns', async () => {
    const { writes, commit } = heldWrites();
    const commits = [1, 2, 3, 4, 5, 6].map((row) => commit([row]));
    expect(writes.map(({ rows }) => rows)).toEqual([[1], [2], [3]]);
    writes[0]?.done();
    await commits[0];
    await Promise.resolve();
    expect(writes.at(-1)?.rows).toEqual([4, 5, 6]);
    for (const { done } of writes) done();
    await Promise.all(commits);
  });

  test('writes at most 100 rows together and never parts an item', async () => {
    const { writes, commit } = heldWrites();
    const commits = [...Array(3).fill([0]), ...Array(75).fill([1, 2])].map((rows) => commit(rows));
    for (let i = 0; i < writes.length; i += 1) {
      writes[i]?.done();
      await Bun.peek(commits[i]);
      await new Promise(setImmediate);
    }
    await Promise.all(commits);
    expect(writes.map(({ rows }) => rows.length)).toEqual([1, 1, 1, 100, 50]);
  });

  test('falls back to single items when a group is refused', async () => {
    const stored: number[] = [];
    const commit = createGroupCommit<number>(async (rows) => {
      await Promise.resolve();
      if (rows.includes(13)) throw new Error('refused');
      stored.push(...rows);
    });
    const outcomes = await Promise.allSettled([10, 11, 12, 13, 14, 15].map((row) => commit([row])));
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, true, true]);
    expect(stored.sort()).toEqual([10, 11, 12, 14, 15]);
  });

  test('fails all of a group, and writes nothing again, when the database is down', async () => {
    let writes = 0;
    const commit = createGroupCommit<number>(async () => {
      writes += 1;
      await Promise.resolve();
      throw new DeadlineError('down');
    });
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => commit([i])));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(writes).toBe(4);
  });
});
