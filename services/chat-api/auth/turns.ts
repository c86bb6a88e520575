import { ApiError } from '#shared/errors';

/**
 * Runs at most `atOnce` pieces of work at a time; the others wait in order, at most `maxWaiting` of them.
 * @throws {ApiError} 429 when too many wait
 */
export function createTurns({ atOnce, maxWaiting }: { atOnce: number; maxWaiting: number }) {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (waiting.length >= maxWaiting) {
      throw new ApiError(429, 'RATE_LIMITED', 'Too many people log in at the moment. Please try again.', {
        headers: { 'retry-after': '5' },
      });
    }
    if (running < atOnce) running += 1;
    else await new Promise<void>((start) => waiting.push(start)); // the turn is handed over: `running` stays
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
