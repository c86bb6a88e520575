import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { lastEventIdOf, startOf } from './cursor.ts';

describe('startOf', () => {
  test('either resumes exactly or names a gap: nothing is left out in silence', () => {
    const reach = fc
      .tuple(fc.nat(50), fc.nat(50))
      .map(([a, b]) => ({ purgedThrough: Math.min(a, b), lastSeq: Math.max(a, b) }));
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 60 }), reach, (seen, { lastSeq, purgedThrough }) => {
        const { cursor, gap } = startOf(String(seen), { lastSeq, purgedThrough });
        const canResume = seen >= purgedThrough && seen <= lastSeq && seen >= 0;
        expect(gap === null).toBe(canResume);
        expect(cursor).toBe(canResume ? seen : lastSeq);
        if (gap) expect(gap.to).toBe(lastSeq);
      }),
    );
  });

  test.each([['1e3'], ['0x10'], [' '], ['٣'], ['9'.repeat(30)]])('%p is no number', (text) => {
    expect(startOf(text, { lastSeq: 5000, purgedThrough: 2 }).gap).toEqual({ from: 3, to: 5000 });
  });
});

test('the header wins over the query, an empty one says nothing', () => {
  expect(lastEventIdOf('7', '5')).toBe('7');
  expect(lastEventIdOf(null, '5')).toBe('5');
  expect(lastEventIdOf('', '')).toBe(null);
});
