import type { Job, Result } from './hasher.ts';

type Waiting = { resolve: (value: never) => void; reject: (error: Error) => void };

const waiting = new Map<number, Waiting>();
let thread: Worker | undefined;
let jobs = 0;

/** A bcrypt hash of a password. `cost`: the logarithm of its rounds. */
export const hashOf = (password: string, cost: number): Promise<string> => run({ password, cost, hash: null });

/** Whether a password is that of a hash. @throws when it is no hash */
export const isOf = (password: string, hash: string): Promise<boolean> => run({ password, cost: 0, hash });

/**
 * In a thread of its own, one after the other, and not in Bun's pool: that has as many threads as there are cores, and the
 * tokens of all requests are checked there. Two hashes at once on two cores kept each of them waiting for 40 ms (measured,
 * Bun 1.4.5).
 */
function run<T extends string | boolean>(job: Omit<Job, 'id'>): Promise<T> {
  const id = (jobs += 1);
  thread ??= start();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  waiting.set(id, { resolve, reject });
  thread.ref();
  thread.postMessage({ id, ...job } satisfies Job);
  return promise;
}

function start(): Worker {
  const worker = new Worker(new URL('./hasher', import.meta.url)); // without its ending, which in an image is .js
  worker.onmessage = ({ data }: MessageEvent<Result>) => {
    const { resolve, reject } = waiting.get(data.id) ?? {};
    waiting.delete(data.id);
    if (waiting.size === 0) worker.unref(); // or it would keep the process
    if ('error' in data) reject?.(new Error(data.error));
    else resolve?.(data.value as never);
  };
  worker.onerror = ({ message }) => {
    thread = undefined; // the next one starts another
    for (const { reject } of waiting.values()) reject(new Error(`the thread of password hashes ended: ${message}`));
    waiting.clear();
  };
  return worker;
}
