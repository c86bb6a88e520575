import { describe, expect, test } from 'bun:test';
import { createTurns } from './turns.ts';

function setUp({ atOnce = 1, maxInLane = 200, maxWaiting = 200 }) {
  const inTurn = createTurns({ atOnce, maxInLane, maxWaiting });
  const begun: string[] = [];
  /** Begins when it is its turn and ends when told to. Its lane is the first letter of its name; capitals are a group. */
  function piece(name: string) {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const [lane, group] = [name.charAt(0), name === name.toLowerCase() ? 'small' : 'capital'];
    const result = inTurn({ group, lane }, () => (begun.push(name), promise));
    const outcome = result.then(
      () => 'done',
      (error: { status?: number }) => error.status ?? 'failed',
    );
    return {
      end: () => (resolve(name), result),
      fail: () => (reject(new Error(name)), outcome),
      result,
      outcome,
    };
  }
  const pieces = (...names: string[]) => names.map((name) => piece(name));
  return { begun, piece, pieces };
}

const many = (lane: string, count: number) => Array.from({ length: count }, (_, i) => `${lane}${i}`);

describe('createTurns', () => {
  test('runs so many at once and the others of a lane in order, each as one ends', async () => {
    const { begun, piece } = setUp({ atOnce: 2 });
    const [first, second, third, fourth] = [piece('a1'), piece('a2'), piece('a3'), piece('a4')];
    expect(begun).toEqual(['a1', 'a2']);
    await second.end();
    expect(begun).toEqual(['a1', 'a2', 'a3']);
    await third.end();
    await first.end();
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(await fourth.end()).toBe('a4');
  });

  test('goes on after a failure', async () => {
    const { begun, piece } = setUp({});
    const [first, second] = [piece('a1'), piece('a2')];
    await first.fail();
    await second.end();
    await piece('a3').end();
    expect(begun).toEqual(['a1', 'a2', 'a3']);
  });

  test('gives the lanes turns: who comes while another has 110 waiting is served within three', async () => {
    const { begun, piece, pieces } = setUp({ atOnce: 2 });
    const crowd = pieces(...many('a', 112));
    const victim = piece('v');
    for (const each of crowd.slice(0, 2)) await each.end();
    expect(begun).toEqual(['a0', 'a1', 'a2', 'v']);
    await victim.end();
    for (const each of crowd.slice(2)) await each.end();
    expect(begun).toHaveLength(113);
  });

  test('gives a lane that comes back no turn before those that waited', async () => {
    const { begun, pieces } = setUp({});
    const [first, ...others] = pieces('a1', 'a2', 'b1', 'c1');
    await first?.end();
    others.push(...pieces('a3'));
    for (const each of others) await each.end();
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3']);
  });
});

describe('who would wait too long', () => {
  test('is turned away where the own lane is full, and another lane is not', async () => {
    const { piece, pieces } = setUp({ maxInLane: 2 });
    const admitted = pieces('a1', 'a2', 'a3');
    const refusal = await piece('a4').result.catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 429, code: 'RATE_LIMITED', headers: { 'retry-after': '5' } });
    admitted.splice(2, 0, piece('b1')); // its turn comes before that of a3
    for (const each of admitted) await each.end();
    expect(await piece('a5').end()).toBe('a5');
  });

  test('is the newest of the longest lane when all lanes of a group together are full', async () => {
    const { begun, pieces } = setUp({ maxWaiting: 5 });
    const [running, ...waiting] = pieces('a0', 'a1', 'a2', 'a3', 'b1', 'b2');
    const victims = pieces('v1');
    expect(await waiting[2]?.outcome).toBe(429);
    const [a1, a2, , b1, b2] = waiting;
    for (const each of [running, a1, b1, ...victims, a2, b2]) await each?.end();
    expect(begun).toEqual(['a0', 'a1', 'b1', 'v1', 'a2', 'b2']);
  });

  test('is none of another group', async () => {
    const { begun, piece, pieces } = setUp({ maxWaiting: 3 });
    const strangers = pieces('a0', 'a1', 'b1', 'c1');
    expect(await piece('d1').outcome).toBe(429);
    const [victim, another] = pieces('V1', 'V2');
    const [running, ...waiting] = strangers;
    for (const each of [running, waiting[0], victim, waiting[1], another, waiting[2]]) await each?.end();
    expect(begun).toEqual(['a0', 'a1', 'V1', 'b1', 'V2', 'c1']);
  });

  test('is who comes when every lane is as short as theirs', async () => {
    const { piece, pieces } = setUp({ maxWaiting: 3 });
    const admitted = pieces('a0', 'a1', 'b1', 'c1');
    expect(await piece('d1').outcome).toBe(429);
    expect(await piece('a2').outcome).toBe(429);
    for (const each of admitted) await each.end();
    expect(await piece('d2').end()).toBe('d2');
  });
});
