import { describe, expect, test } from 'bun:test';
import { inTheMiddle } from './batches.ts';

const offer = (...ids: string[]) => ({ events: ids.map((id) => `/events/created ${id}`), bytes: 1 });

describe('inTheMiddle', () => {
  test('finds what came in a full batch between others', () => {
    expect(inTheMiddle([offer('a', 'p'), offer('b', 'q', 'c')], ['p', 'q'], 3)).toEqual(['q']);
  });

  test('finds neither the first nor the last of a batch, nor what never came', () => {
    expect(inTheMiddle([offer('a', 'b', 'c')], ['a', 'c', 'd'], 3)).toEqual([]);
  });

  test('looks at the first time that an event came', () => {
    expect(inTheMiddle([offer('p'), offer('a', 'p', 'b')], ['p'], 3)).toEqual([]);
  });
});
