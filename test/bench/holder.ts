import { join } from 'node:path';
import { within } from '#shared/db';
import { processEnvironment } from '../../services/local/machine/environment.ts';
import type { Ask, Told } from './stream-holder.ts';

const OPEN_MS = 120_000;

export type Holder = ((ask: Ask) => Promise<Told>) & { end(): void };

/** A program of this folder as a process of its own, which speaks over the IPC channel of Bun. */
export function startChild(file: string) {
  let { promise, resolve } = Promise.withResolvers<unknown>();
  const child = Bun.spawn([process.execPath, '--no-env-file', join(import.meta.dir, file)], {
    env: processEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc: (message) => resolve(message),
  });
  return {
    pid: child.pid,
    send: (message: Ask) => child.send(message),
    /** The next message. Throws when it ends, or none comes for minutes. */
    async next(): Promise<unknown> {
      const ended = child.exited.then((code) => {
        throw new Error(`${file} ended with ${code}`);
      });
      ended.catch(() => {}); // told by whoever waits then
      const message = await within(OPEN_MS, Promise.race([promise, ended]));
      ({ promise, resolve } = Promise.withResolvers<unknown>());
      return message;
    },
    end: () => child.kill(),
  };
}

/** A process that opens streams and keeps them open (`stream-holder.ts`). */
export function startHolder(): Holder {
  const child = startChild('stream-holder.ts');
  const ask = async (what: Ask) => {
    child.send(what);
    return (await child.next()) as Told;
  };
  return Object.assign(ask, { end: child.end });
}
