/**
 * Spaces out what comes too fast: `burst` at once, then `perSecond`. The function that it makes says how many ms one more
 * is to wait, at most `mostMs`; it is told the time, in ms.
 */
export function createPace({ perSecond, burst, mostMs }: { perSecond: number; burst: number; mostMs: number }) {
  const gapMs = 1000 / perSecond;
  let nextAt = -Infinity;
  return (now: number): number => {
    nextAt = Math.min(Math.max(nextAt, now - burst * gapMs) + gapMs, now + mostMs);
    return Math.max(nextAt - now, 0);
  };
}
