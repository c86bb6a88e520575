import { ApiError } from './errors.ts';

/** Whether a call may go on, and if not, after how many milliseconds the next one may (`Retry-After`, rounded up). */
export type Permit = { ok: boolean; retryAfterMs: number };

/** The refusal of who asks too much, with the time to wait in whole seconds. */
export const rateLimited = (message: string, retryAfterMs: number): ApiError =>
  new ApiError(429, 'RATE_LIMITED', message, { headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } });

/** Of the keys held at once, where nothing else is said: some 100 bytes each. */
const MAX_KEYS = 10_000;
/** Sums of fractions of a millisecond stray by less than this; without it a caller who waited exactly is refused. */
const ROUNDING_MS = 0.001;

/**
 * A token bucket a key: `capacity` at once, then `refillPerSecond`. Held as one number, the time at which the bucket
 * will be full again (GCRA), so an idle key costs nothing; above `maxKeys` the key used longest ago is forgotten.
 * `now` in milliseconds; when it goes back, a key waits at most as long as an empty bucket.
 */
export function createTokenBucket(options: { capacity: number; refillPerSecond: number; maxKeys?: number }) {
  const { capacity, refillPerSecond, maxKeys = MAX_KEYS } = options;
  const tokenMs = 1000 / refillPerSecond;
  const emptyMs = capacity * tokenMs;
  const fullAt = createRecent<number>(maxKeys);

  return {
    /** Takes one token of `key` if there is one. */
    take(key: string, now: number): Permit {
      const missingMs = Math.min(Math.max((fullAt.get(key) ?? now) - now, 0), emptyMs);
      const waitMs = missingMs + tokenMs - emptyMs;
      const ok = waitMs <= ROUNDING_MS;
      fullAt.set(key, now + (ok ? missingMs + tokenMs : missingMs));
      return { ok, retryAfterMs: ok ? 0 : Math.ceil(waitMs - ROUNDING_MS) };
    },
    /** How many keys are held. */
    size: () => fullAt.size(),
  };
}

/**
 * At most `limit` of something a key in any `windowMs`. To count failures only, take before the attempt and give back
 * when it succeeds: attempts that run at the same time then cannot pass the limit together. A refusal is not counted.
 * Memory is bounded by `maxKeys` times `limit` numbers. `now` in milliseconds.
 */
export function createWindow(options: { limit: number; windowMs: number; maxKeys?: number }) {
  const { limit, windowMs, maxKeys = MAX_KEYS } = options;
  const taken = createRecent<number[]>(maxKeys);

  return {
    /** Counts one of `key`, or refuses it. */
    take(key: string, now: number): Permit {
      // A time ahead of us is of before the clock was set back: it counts from now, or it would block for that long.
      const times = (taken.get(key) ?? []).map((at) => Math.min(at, now)).filter((at) => at > now - windowMs);
      const oldest = times.length < limit ? undefined : times[0];
      if (oldest === undefined) times.push(now);
      taken.set(key, times);
      return oldest === undefined
        ? { ok: true, retryAfterMs: 0 }
        : { ok: false, retryAfterMs: oldest + windowMs - now };
    },
    /** Takes back the newest one of `key`: the attempt succeeded. */
    giveBack(key: string): void {
      const times = taken.get(key)?.slice(0, -1) ?? [];
      if (times.length > 0) taken.set(key, times);
      else taken.delete(key);
    },
    /** How many keys are held. */
    size: () => taken.size(),
  };
}

/** A map of at most `maxKeys`, which forgets the key that was set longest ago. */
export function createRecent<V>(maxKeys: number) {
  const entries = new Map<string, V>();
  return {
    get: (key: string) => entries.get(key),
    set(key: string, value: V): void {
      entries.delete(key);
      entries.set(key, value);
      const [oldest] = entries.size > maxKeys ? entries.keys() : [];
      if (oldest !== undefined) entries.delete(oldest);
    },
    delete: (key: string) => entries.delete(key),
    size: () => entries.size,
  };
}
