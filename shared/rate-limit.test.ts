import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createTokenBucket, createWindow } from './rate-limit.ts';

const START = Date.parse('2026-11-24T09:00:00Z');
const steps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })), { minLength: 1, maxLength: 200 });

describe('a token bucket', () => {
  test('gives its capacity at once, then a token each time one is refilled', () => {
    const bucket = createTokenBucket({ capacity: 3, refillPerSecond: 2 });
    const at = (ms: number) => bucket.take('a', START + ms);
    expect([at(0).ok, at(0).ok, at(0).ok]).toEqual([true, true, true]);
    expect(at(0)).toEqual({ ok: false, retryAfterMs: 500 });
    expect(at(400)).toEqual({ ok: false, retryAfterMs: 100 });
    expect(at(500)).toEqual({ ok: true, retryAfterMs: 0 });
    expect(at(500).ok).toBe(false);
    expect([at(60_000).ok, at(60_000).ok, at(60_000).ok, at(60_000).ok]).toEqual([true, true, true, false]);
  });

  test('is not thrown off by fractions of a millisecond', () => {
    const bucket = createTokenBucket({ capacity: 2, refillPerSecond: 7 });
    let now = START;
    for (let token = 0; token < 500; token++) {
      const { ok, retryAfterMs } = bucket.take('a', now);
      if (ok) continue;
      expect(bucket.take('a', now + retryAfterMs - 1).ok).toBe(false);
      now += retryAfterMs;
      expect(bucket.take('a', now).ok).toBe(true);
    }
  });

  test('keeps keys apart', () => {
    const bucket = createTokenBucket({ capacity: 1, refillPerSecond: 1 });
    expect([bucket.take('a', START).ok, bucket.take('b', START).ok, bucket.take('a', START).ok]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('never gives more than capacity plus refill in any span, and never less than a caller is promised', () => {
    const settings = fc.record({
      capacity: fc.integer({ min: 1, max: 20 }),
      refillPerSecond: fc.constantFrom(0.1, 1, 3, 7, 10, 1000 / 7),
    });
    fc.assert(
      fc.property(settings, steps, ({ capacity, refillPerSecond }, gaps) => {
        const bucket = createTokenBucket({ capacity, refillPerSecond });
        const given: number[] = Array.from({ length: capacity }, () => START);
        expect(given.every(() => bucket.take('a', START).ok)).toBe(true);
        let now = START;
        for (const gap of gaps) {
          now += gap;
          const { ok, retryAfterMs } = bucket.take('a', now);
          if (ok) given.push(now);
          else {
            expect(retryAfterMs).toBeGreaterThan(0);
            expect(bucket.take('a', now + retryAfterMs - 1).ok).toBe(false);
            now += retryAfterMs;
            expect(bucket.take('a', now).ok).toBe(true);
            given.push(now);
          }
        }
        given.forEach((first, i) => {
          given.slice(i).forEach((last, more) => {
            expect(more + 1).toBeLessThanOrEqual(capacity + ((last - first) * refillPerSecond) / 1000 + 0.001);
          });
        });
      }),
    );
  });

  test('whose clock goes back waits no longer than an empty one', () => {
    const bucket = createTokenBucket({ capacity: 2, refillPerSecond: 1 });
    bucket.take('a', START + 3_600_000);
    bucket.take('a', START + 3_600_000);
    expect(bucket.take('a', START)).toEqual({ ok: false, retryAfterMs: 1000 });
    expect(bucket.take('a', START + 1000).ok).toBe(true);
  });

  test('forgets the key used longest ago when there are too many', () => {
    const bucket = createTokenBucket({ capacity: 1, refillPerSecond: 0.001, maxKeys: 2 });
    for (const key of ['a', 'b', 'a', 'c']) bucket.take(key, START);
    expect(bucket.size()).toBe(2);
    expect(bucket.take('a', START).ok).toBe(false);
    expect(bucket.take('b', START).ok).toBe(true);
  });
});

describe('a window', () => {
  test('refuses above its limit until the oldest is out of it', () => {
    const failures = createWindow({ limit: 2, windowMs: 1000 });
    expect([failures.take('a', START).ok, failures.take('a', START + 400).ok]).toEqual([true, true]);
    expect(failures.take('a', START + 500)).toEqual({ ok: false, retryAfterMs: 500 });
    expect(failures.take('a', START + 999)).toEqual({ ok: false, retryAfterMs: 1 });
    expect(failures.take('a', START + 1000)).toEqual({ ok: true, retryAfterMs: 0 });
    expect(failures.take('a', START + 1000)).toEqual({ ok: false, retryAfterMs: 400 });
    expect(failures.take('b', START + 1000).ok).toBe(true);
  });

  test('does not count what is given back', () => {
    const failures = createWindow({ limit: 2, windowMs: 1000 });
    for (let login = 0; login < 10; login++) {
      expect(failures.take('a', START + login).ok).toBe(true);
      failures.giveBack('a');
    }
    expect(failures.size()).toBe(0);
    failures.giveBack('nobody');
    expect([1, 2, 3].map(() => failures.take('a', START + 20).ok)).toEqual([true, true, false]);
  });

  test('holds in any span of its length', () => {
    const settings = fc.record({
      limit: fc.integer({ min: 1, max: 12 }),
      windowMs: fc.integer({ min: 1, max: 10_000 }),
    });
    fc.assert(
      fc.property(settings, steps, ({ limit, windowMs }, gaps) => {
        const window = createWindow({ limit, windowMs });
        const given: number[] = [];
        let now = START;
        for (const gap of gaps) {
          now += gap;
          const within = given.filter((at) => at > now - windowMs).length;
          const { ok, retryAfterMs } = window.take('a', now);
          expect(ok).toBe(within < limit);
          if (!ok) {
            expect(window.take('a', now + retryAfterMs - 1).ok).toBe(false);
            now += retryAfterMs;
            expect(window.take('a', now).ok).toBe(true);
          }
          given.push(now);
        }
      }),
    );
  });

  test('whose clock goes back counts from then, no longer', () => {
    const window = createWindow({ limit: 1, windowMs: 1000 });
    window.take('a', START + 3_600_000);
    expect(window.take('a', START)).toEqual({ ok: false, retryAfterMs: 1000 });
    expect(window.take('a', START + 1000).ok).toBe(true);
  });

  test('forgets the key used longest ago when there are too many', () => {
    const window = createWindow({ limit: 1, windowMs: 1000, maxKeys: 2 });
    for (const key of ['a', 'b', 'a', 'c']) window.take(key, START);
    expect(window.size()).toBe(2);
    expect(window.take('a', START).ok).toBe(false);
  });
});
