// A thread that makes and compares password hashes, started by hashing.ts.
import { getPriority, setPriority } from 'node:os';

declare const self: Worker;

/** What is to be hashed, or compared where there is a hash. `id` comes back with the result. */
export interface Job {
  id: number;
  password: string;
  cost: number;
  hash: string | null;
}
export type Result = { id: number } & ({ value: string | boolean } | { error: string });

/** Added to the niceness of the service: a hash is waited for by whoever logs in, and by nobody else. */
const LATER = 5;

// A thread has a priority of its own on Linux alone; elsewhere this would be that of the whole service.
if (process.platform === 'linux') setPriority(0, Math.min(getPriority(0) + LATER, 19));

self.onmessage = ({ data: job }: MessageEvent<Job>) => {
  let result: Result;
  try {
    result = { id: job.id, value: valueOf(job) };
  } catch (error) {
    result = { id: job.id, error: (error as Error).message };
  }
  postMessage(result);
};

const valueOf = ({ password, cost, hash }: Job): string | boolean =>
  hash === null
    ? Bun.password.hashSync(password, { algorithm: 'bcrypt', cost })
    : Bun.password.verifySync(password, hash, 'bcrypt');
