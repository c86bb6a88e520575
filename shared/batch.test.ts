import { describe, expect, test } from 'bun:test';
import { createBatch } from './batch.ts';
import { DeadlineError } from './db.ts';

type Options = Omit<Parameters<typeof createBatch<string>>[0], 'write'>;

/** A batch whose writes end when the test says so. */
function heldWrites(options: Partial<Options> = {}) {
  const writes: { items: string[]; done: () => void; fail: (error: Error) => void }[] = [];
  const add = createBatch<string>({
    most: 10,
    ...options,
    write(items) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      writes.push({ items, done: resolve, fail: reject });
      return promise;
    },
  });
  /** Ends each write as it comes. */
  async function doAll(outcomes: Promise<void>[]) {
    for (let i = 0; i < writes.length; i += 1) {
      writes[i]?.done();
      await new Promise(setImmediate);
    }
    await Promise.all(outcomes);
  }
  return { add, writes, doAll, written: () => writes.map(({ items }) => items.join('')) };
}

describe('createBatch', () => {
  test('writes at once, and together what comes meanwhile', async () => {
    const { add, doAll, written } = heldWrites();
    const outcomes = [...'abcd'].map(add);
    expect(written()).toEqual(['a']);
    await doAll(outcomes);
    expect(written()).toEqual(['a', 'bcd']);
  });

  test('has as many writes under way as it may', async () => {
    const { add, doAll, written } = heldWrites({ inFlight: 2 });
    await doAll([...'abcd'].map(add));
    expect(written()).toEqual(['a', 'b', 'cd']);
  });

  test('resolves each item when it is written, not before', async () => {
    const { add, writes } = heldWrites();
    const [first, second] = [add('a'), add('b')];
    expect([Bun.peek.status(first), Bun.peek.status(second)]).toEqual(['pending', 'pending']);
    writes[0]?.done();
    await first;
    await new Promise(setImmediate);
    expect(Bun.peek.status(second)).toBe('pending');
    writes[1]?.done();
    await second;
  });

  test('ends a batch at the number of its items', async () => {
    const { add, doAll, written } = heldWrites({ most: 2 });
    await doAll([...'abcdef'].map(add));
    expect(written()).toEqual(['a', 'bc', 'de', 'f']);
  });

  test('ends a batch at its weight; an item above it goes alone, in its turn', async () => {
    const weight = { of: (item: string) => Number(item), most: 5 };
    const { add, doAll, written } = heldWrites({ weight });
    await doAll([...'1239411'].map(add));
    expect(written()).toEqual(['1', '23', '9', '41', '1']);
  });

  test('takes the newest of what waits under one key, in the place of the oldest', async () => {
    const { add, doAll, written } = heldWrites({ key: (item) => item.charAt(0) });
    await doAll(['a1', 'a2', 'b1', 'a3'].map(add));
    expect(written()).toEqual(['a1', 'a3b1']);
  });

  test('writes one by one what is refused together, and only the bad one fails', async () => {
    const stored: string[] = [];
    const add = createBatch<string>({
      most: 10,
      async write(items) {
        await Promise.resolve();
        if (items.includes('bad')) throw new Error('refused');
        stored.push(...items);
      },
    });
    const outcomes = await Promise.allSettled(['a', 'b', 'bad', 'c'].map(add));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(stored).toEqual(['a', 'b', 'c']);
  });

  test('fails all of a batch, and writes none of it again, when the failure is transient', async () => {
    const { add, writes, written } = heldWrites();
    const outcomes = Promise.allSettled([...'abc'].map(add));
    writes[0]?.done();
    await new Promise(setImmediate);
    writes[1]?.fail(new DeadlineError('down'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(written()).toEqual(['a', 'bc']);
  });

  test('goes on after a failure, also of a write that throws before it begins', async () => {
    let isDown = true;
    const add = createBatch<string>({
      most: 10,
      write() {
        if (isDown) throw new DeadlineError('down');
        return Promise.resolve();
      },
    });
    await expect(add('a')).rejects.toThrow('down');
    isDown = false;
    await add('b');
  });
});
