import { expect, test } from 'bun:test';
import { repeated } from './repeats.ts';

const edge = (...batches: string[][]) => ({ offers: batches.map((events) => ({ events, bytes: 1 })) });

test('an event counts as repeated in whichever replica and batch it comes again', () => {
  expect(repeated([edge(['a', 'b'], ['c']), edge(['a', 'd'])])).toEqual({ share: 0.25, together: 0 });
});

test('one that is twice in a batch is told apart', () => {
  expect(repeated([edge(['a', 'a', 'b', 'c'])])).toEqual({ share: 1 / 3, together: 1 });
});

test('nothing was repeated where nothing came', () => {
  expect(repeated([edge()])).toEqual({ share: 0, together: 0 });
});
