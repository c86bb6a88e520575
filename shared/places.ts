import { Elysia } from 'elysia';
import { databaseUnavailable } from './errors.ts';

/** Longest rest of a place: what took so long waited for the database, and none who wait behind it shall be given up. */
const REST_MS = 1000;

interface Key {
  held: number;
  waiting: Set<() => void>;
}

export type Places = ReturnType<typeof createPlaces>;

/**
 * At most `perKey` pieces of work of a key at once; the others wait in the order in which they came, behind their own and
 * nobody else's. So one user cannot take all connections of a pool, nor turn after turn of the event loop.
 */
export function createPlaces({
  perKey,
  restFactor = 0,
  now = () => performance.now(),
}: {
  perKey: number;
  /** How many times as long as it was used a place `within` rests, at most a second: 4 leaves a key a fifth of the event loop. */
  restFactor?: number;
  /** In ms. */
  now?: () => number;
}) {
  const keys = new Map<string, Key>();

  function giveBack(name: string, key: Key): void {
    const [next] = key.waiting;
    if (next) return next(); // the place is handed over: `held` stays
    key.held -= 1;
    if (key.held === 0) keys.delete(name);
  }

  function waitIn(key: Key, lateness?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        key.waiting.delete(begin);
        lateness?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        key.waiting.delete(begin);
        reject(databaseUnavailable());
      };
      key.waiting.add(begin);
      lateness?.addEventListener('abort', giveUp);
    });
  }

  /**
   * What gives the place back, once: at hand where one is free. Waits as long as its request does (`lateness`).
   * @throws {ApiError} 503 as the request was answered by then
   */
  function take(name: string, lateness?: AbortSignal): (() => void) | Promise<() => void> {
    if (lateness?.aborted) throw databaseUnavailable();
    const key = keys.get(name) ?? { held: 0, waiting: new Set() };
    keys.set(name, key);
    const leave = () => giveBack(name, key);
    if (key.held === perKey) return waitIn(key, lateness).then(() => leave);
    key.held += 1;
    return leave;
  }

  return {
    take,
    /**
     * Does `work` in a place. The event loop goes round before the next of this key has it: whoever else asks comes in
     * between. @throws {ApiError} 503 as `take`, and what `work` throws
     */
    async within<T>(name: string, work: () => T | Promise<T>, lateness?: AbortSignal): Promise<T> {
      const leave = await take(name, lateness);
      const begunAt = now();
      try {
        return await work();
      } finally {
        if (restFactor === 0) setImmediate(leave);
        else setTimeout(leave, Math.min(restFactor * (now() - begunAt), REST_MS)).unref();
      }
    },
  };
}

/** Of each request under way, what its end does. */
const ends = new WeakMap<Request, (() => void)[]>();

/**
 * Knows when the work for a request is over. Use it before `deadline`: what is answered late works on, and holds its
 * connection.
 */
export const ending = () =>
  new Elysia({ name: 'ending' }).wrap((handle, request) => async (...args: unknown[]) => {
    const atEnds: (() => void)[] = [];
    ends.set(request, atEnds);
    try {
      return await Promise.resolve(handle(...args));
    } finally {
      ends.delete(request); // what comes later ends at once
      for (const end of atEnds) end();
    }
  });

/**
 * Ends now what waits for the end of this request: it goes on in a place of another kind, and whoever made it may have
 * others worked on meanwhile.
 */
export function endEarly(request: Request): void {
  for (const end of ends.get(request)?.splice(0) ?? []) end();
}

/** Does `end` when the work for this request is over; at once for one that came by no app. */
export function atEnd(request: Request, end: () => void): void {
  const known = ends.get(request);
  if (known) known.push(end);
  else end();
}
