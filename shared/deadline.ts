import { Elysia } from 'elysia';
import { DeadlineError, within } from './db.ts';
import { ANSWER_MS } from './ladder.ts';

/**
 * Answers by `late` when a handler has not after 9 s. A database that hangs, or a connection to one that is gone, says
 * nothing, and postgres.js has no deadline: its callers would wait for as long as that lasts. Work that has begun is not
 * stopped, and what waits for its turn (`lateness`) is given up.
 * Use it after what gives every answer its headers: a late one has them too.
 */
export function deadline(late: () => Response, answerMs = ANSWER_MS) {
  const headersOf = new WeakMap<Request, Record<string, string | number>>();
  return (
    new Elysia({ name: 'deadline', seed: answerMs })
      .onRequest(({ request, set }) => {
        headersOf.set(request, { ...set.headers });
      })
      // The only hook around a whole answer; Elysia 1.4.30 calls it private, and its own plugins use it.
      .wrap((handle, request) => async (...args: unknown[]) => {
        const isLate = new AbortController();
        latenesses.set(request, isLate.signal);
        const answer = Promise.resolve(handle(...args));
        try {
          return await within(answerMs, answer);
        } catch (error) {
          if (!(error instanceof DeadlineError)) throw error;
          isLate.abort();
          void answer.then(giveUp, () => {}); // that it fails too tells nobody anything
          const response = late();
          for (const [name, value] of Object.entries(headersOf.get(request) ?? {}))
            response.headers.set(name, String(value));
          return response;
        }
      })
  );
}

const latenesses = new WeakMap<Request, AbortSignal>();

/** Aborts when this request has been answered late: whoever was told that nothing was done sends it again. */
export const lateness = (request: Request): AbortSignal | undefined => latenesses.get(request);

/** A long answer has its place until it is read, and this one never is. */
const giveUp = (answer: unknown) => (answer instanceof Response ? answer.body?.cancel() : undefined);
