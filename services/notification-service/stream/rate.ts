export type Rate = ReturnType<typeof createRate>;

/**
 * At most `limit` in any span of `windowMs`, exactly: it remembers the times of the last `limit`. A bucket would let
 * twice as many through in its first window. `now` in ms of a monotonic clock.
 */
export function createRate(limit: number, windowMs: number) {
  const times: number[] = [];
  return {
    /** Takes one and answers 0, or takes none and answers how many ms to wait. */
    take(now: number): number {
      const oldest = times.at(-limit);
      const waitMs = oldest === undefined ? 0 : oldest + windowMs - now;
      if (waitMs > 0) return waitMs;
      times.push(now);
      if (times.length > limit) times.shift();
      return 0;
    },
  };
}
