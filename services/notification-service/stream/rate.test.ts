import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Rate } from './rate.ts';

test('never more than the limit in any window, and a caller who waits as told is let through', () => {
  const gaps = fc.array(fc.nat(400), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 12 }), (gapsMs, limit) => {
      const rate = new Rate(limit, 1000);
      const taken: number[] = [];
      let now = 0;
      for (const gap of gapsMs) {
        now += gap;
        const waitMs = rate.take(now);
        if (waitMs > 0) {
          now += waitMs;
          expect(rate.take(now)).toBe(0);
        }
        taken.push(now);
      }
      for (const at of taken)
        expect(taken.filter((other) => other >= at && other < at + 1000).length).toBeLessThanOrEqual(limit);
    }),
  );
});
