import { Elysia } from 'elysia';
import { correlationIdOf } from './correlation.ts';
import { DeadlineError, within } from './db.ts';

/** Above the 8 s in which a consumer decides about a delivery, below the 10 s after which a sidecar gives one up. */
const ANSWER_MS = 9000;

/**
 * Answers by `late` when a handler has not after 9 s. A database that hangs, or a connection to one that is gone, says
 * nothing, and postgres.js has no deadline: its callers would wait for as long as that lasts. The work is not stopped.
 */
export const deadline = (late: () => Response, answerMs = ANSWER_MS) =>
  // The only hook around a whole answer; Elysia 1.4.30 calls it private, and its own plugins use it.
  new Elysia({ name: 'deadline', seed: answerMs }).wrap((handle) => async (...args: unknown[]) => {
    try {
      return await within(answerMs, Promise.resolve(handle(...args)));
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      const response = late();
      response.headers.set('x-correlation-id', correlationIdOf(args[0] as Request));
      return response;
    }
  });
