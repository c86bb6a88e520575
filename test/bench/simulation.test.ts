import { describe, expect, test } from 'bun:test';
import { type Load, personOf, type Plan, randomOf, simulate } from './simulation.ts';
import { simulated, sizes } from './sizes.ts';

const plan: Plan = {
  request: [{ name: 'api', servers: 1, ms: 5 }],
  publish: [{ name: 'relay', servers: 1, ms: 1 }],
  consumers: [[{ name: 'inbox', servers: 1, ms: 2, apart: 'partition' }]],
  partitions: 3,
  cores: null,
};
const load: Load = { seconds: 60, rate: () => 100, people: 100, zipf: 1, seed: 1 };

describe('simulate', () => {
  test('delivers every change that was made, and keeps to the rate', () => {
    const { made, delivered } = simulate(plan, load);
    expect(delivered).toBe(made);
    expect(Math.abs(made - 6000)).toBeLessThan(250); // three times the root of 6,000
  });

  test('tells the same for the same seed, and not for another', () => {
    expect(simulate(plan, load)).toEqual(simulate(plan, load));
    expect(simulate(plan, { ...load, seed: 2 })).not.toEqual(simulate(plan, load));
  });

  test('waits as queueing theory says: M/M/1, half busy, twice its service time (Kleinrock 1975, 3.2)', () => {
    const mean = 5 / (1 - 100 / (1000 / 5));
    const { request } = simulate(plan, { ...load, seconds: 600 });
    expect(request.p50 / (mean * Math.LN2)).toBeWithin(0.9, 1.1);
    expect(request.p99 / (mean * Math.log(100))).toBeWithin(0.85, 1.15);
  });

  test('works for as long as the changes take, wherever they wait', () => {
    const { made, busy } = simulate(plan, load);
    expect((busy.get('api') ?? 0) / (made * 5)).toBeWithin(0.9, 1.1);
  });

  test('takes the time of its processors when these are fewer than its parts', () => {
    const crowded = simulate({ ...plan, cores: 1 }, { ...load, rate: () => 150 }); // 8 ms each: 125 a second
    expect(crowded.endedAt / ((crowded.made * 8) / 1)).toBeWithin(0.95, 1.05);
    expect(simulate(plan, { ...load, rate: () => 150 }).endedAt).toBeLessThan(61_000);
  });

  test('takes no processor for what waits', () => {
    const waiting: Plan = { ...plan, cores: 1, request: [{ name: 'disk', servers: 100, ms: 50, waits: true }] };
    expect(simulate(waiting, load).endedAt).toBeLessThan(61_000);
  });

  test('lets those of one person wait for each other, and of an unequal crowd more of them', () => {
    const perPerson: Plan = { ...plan, consumers: [[{ name: 'row', servers: 1, ms: 30, apart: 'person' }]] };
    const [even, uneven] = [0, 1.2].map((zipf) => simulate(perPerson, { ...load, zipf }).delivery.p99);
    expect(uneven).toBeGreaterThan(2 * (even ?? Infinity));
  });

  test('loses nothing when a server dies, is late, and catches up', () => {
    const pair: Plan = { ...plan, request: [{ name: 'api', servers: 2, ms: 15 }] };
    const dying = { part: 'api', at: 20, forSeconds: 10, servers: 1 };
    const [whole, half] = [simulate(pair, load), simulate(pair, { ...load, dying })];
    expect(half.delivered).toBe(half.made);
    expect(half.deepest.get('api')).toBeGreaterThan(5 * (whole.deepest.get('api') ?? Infinity));
    expect(half.endedAt).toBeLessThan(62_000);
  });

  test('makes nothing while nobody is there', () => {
    expect(simulate(plan, { ...load, rate: () => 0 }).made).toBe(0);
  });
});

test('personOf: the first makes twice as many changes as the second, by the law of Zipf', () => {
  const pick = personOf({ people: 1000, zipf: 1 }, randomOf(1));
  const counts = new Map<number, number>();
  for (let i = 0; i < 100_000; i++) {
    const n = pick();
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  expect((counts.get(0) ?? 0) / (counts.get(1) ?? 1)).toBeWithin(1.9, 2.1);
});

test.each(sizes)(
  '$people people get what they do within the promised 500 ms, also while a copy is dead',
  (size) => {
    const { whole, dead } = simulated(size);
    expect([whole.delivered, dead.delivered]).toEqual([whole.made, dead.made]);
    expect(Math.max(whole.delivery.p99, dead.delivery.p99)).toBeLessThan(500);
  },
  30_000,
);
