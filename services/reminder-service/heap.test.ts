import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createHeap, type HeapEntry } from './heap.ts';

/** What the heap must be equal to: a plain list, sorted at each look. */
function createList() {
  let entries: HeapEntry[] = [];
  const held = (taskId: string) => entries.find((entry) => entry.taskId === taskId);
  const without = (taskId: string) => entries.filter((entry) => entry.taskId !== taskId);
  return {
    put(entry: HeapEntry) {
      if ((held(entry.taskId)?.version ?? -1) < entry.version) entries = [...without(entry.taskId), entry];
    },
    cancel(taskId: string, version: number) {
      if ((held(taskId)?.version ?? Infinity) <= version) entries = without(taskId);
    },
    takeDue(now: number) {
      const due = entries.filter(({ at }) => at <= now).map(({ at }) => at);
      entries = entries.filter(({ at }) => at > now);
      return due.sort((a, b) => a - b);
    },
    replace: (next: HeapEntry[]) => void (entries = next),
    nextAt: () => (entries.length > 0 ? Math.min(...entries.map(({ at }) => at)) : null),
    size: () => entries.length,
  };
}

const taskId = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const version = fc.integer({ min: 1, max: 9 });
const at = fc.integer({ min: 0, max: 100 });
const entry = fc.record({ taskId, version, at });
const step = fc.oneof(
  { weight: 6, arbitrary: entry.map((put) => ({ put })) },
  { weight: 4, arbitrary: fc.record({ taskId, version }).map((cancel) => ({ cancel })) },
  { weight: 2, arbitrary: at.map((takeDue) => ({ takeDue })) },
  {
    weight: 1,
    arbitrary: fc.uniqueArray(entry, { selector: (item) => item.taskId }).map((replace) => ({ replace })),
  },
);

describe('heap', () => {
  test('is equal to a sorted list after any steps, and never mostly stale', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const [heap, list] = [createHeap(), createList()];
        for (const step of steps) {
          if ('put' in step) for (const each of [heap, list]) each.put(step.put);
          else if ('cancel' in step)
            for (const each of [heap, list]) each.cancel(step.cancel.taskId, step.cancel.version);
          else if ('replace' in step) for (const each of [heap, list]) each.replace(step.replace);
          else expect(heap.takeDue(step.takeDue).map((entry) => entry.at)).toEqual(list.takeDue(step.takeDue));
          expect(heap.stale()).toBeLessThanOrEqual(heap.size());
          expect(heap.nextAt()).toBe(list.nextAt());
          expect(heap.size()).toBe(list.size());
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('does not let late news of an older version displace newer', () => {
    const heap = createHeap();
    heap.put({ taskId: 'a', version: 4, at: 40 });
    heap.put({ taskId: 'a', version: 3, at: 30 });
    heap.cancel('a', 3);
    expect(heap.takeDue(100)).toEqual([{ taskId: 'a', version: 4, at: 40 }]);
  });

  test('is not mostly stale after what was alive has been taken out', () => {
    const heap = createHeap();
    for (const [taskId, at] of [
      ['a', 2],
      ['c', 2],
      ['h', 1],
    ] as const)
      heap.put({ taskId, version: 1, at });
    heap.cancel('c', 1);
    heap.put({ taskId: 'a', version: 2, at: 0 });
    expect(heap.takeDue(0)).toEqual([{ taskId: 'a', version: 2, at: 0 }]);
    expect(heap.stale()).toBeLessThanOrEqual(heap.size());
  });

  test('holds and empties 100,000 entries, half of them cancelled', () => {
    const heap = createHeap();
    for (let i = 0; i < 100_000; i++) heap.put({ taskId: String(i), version: 1, at: (i * 7919) % 100_003 });
    for (let i = 0; i < 100_000; i += 2) heap.cancel(String(i), 1);
    const due = heap.takeDue(Infinity).map((entry) => entry.at);
    expect(due).toHaveLength(50_000);
    expect(due).toEqual(due.toSorted((a, b) => a - b));
  });
});
