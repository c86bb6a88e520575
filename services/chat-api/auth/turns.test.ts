import { describe, expect, test } from 'bun:test';
import { createTurns } from './turns.ts';

function setUp(options: { atOnce: number; maxWaiting: number }) {
  const inTurn = createTurns(options);
  const begun: string[] = [];
  /** Begins when it is its turn and ends when told to. */
  function piece(name: string) {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const result = inTurn(() => (begun.push(name), promise));
    return {
      end: () => (resolve(name), result),
      fail: () => (reject(new Error(name)), result.catch(() => name)),
      result,
    };
  }
  return { begun, piece };
}

describe('createTurns', () => {
  test('runs so many at once and the others in order, each as one ends', async () => {
    const { begun, piece } = setUp({ atOnce: 2, maxWaiting: 10 });
    const [first, second, third, fourth] = [piece('a'), piece('b'), piece('c'), piece('d')];
    expect(begun).toEqual(['a', 'b']);
    await second.end();
    expect(begun).toEqual(['a', 'b', 'c']);
    await third.end();
    await first.end();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    expect(await fourth.end()).toBe('d');
  });

  test('goes on after a failure', async () => {
    const { begun, piece } = setUp({ atOnce: 1, maxWaiting: 10 });
    const [first, second] = [piece('a'), piece('b')];
    await first.fail();
    await second.end();
    await piece('c').end();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  test('turns away who would wait too long', async () => {
    const { piece } = setUp({ atOnce: 1, maxWaiting: 1 });
    const [first, second, third] = [piece('a'), piece('b'), piece('c')];
    const refusal = await third.result.catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
    await first.end();
    await second.end();
    expect(await piece('d').end()).toBe('d');
  });
});
