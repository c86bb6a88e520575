/**
 * A timer is set no further than this, so that neither JavaScript's limit of 24.8 days (a longer one fires at once) nor
 * a clock that was set matters.
 */
const FURTHEST_MS = 60_000;

/** How long to sleep until `nextAt` (ms since the epoch; null: nothing to wait for). */
export const sleepMs = (nextAt: number | null, now: number): number =>
  Math.min(FURTHEST_MS, Math.max(0, (nextAt ?? Infinity) - now));

/**
 * Measures by how many ms the wall clock moved against the monotonic one since the last call: positive when it was set
 * forward or the machine slept, negative when it was set back. Slewing by NTP stays below 0.5 ms a second.
 */
export function createJumpMeter(now: () => number, monotonic: () => number): () => number {
  let offset = now() - monotonic();
  return () => {
    const previous = offset;
    offset = now() - monotonic();
    return offset - previous;
  };
}
