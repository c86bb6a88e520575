import type { Options } from './options.ts';
import type { Signals } from './machine/signals.ts';
import { type Keepable, keepRunning } from './machine/supervisor.ts';
import type { Terminal } from './machine/terminal.ts';
import type { State } from './state/state.ts';

/** What `up` was told, where it keeps things, where it speaks and what tells it to stop. */
export type Session = { options: Options; state: State; terminal: Terminal; signals: Signals };

/** One running part of the whole. The gateway's process is `up` itself. */
export type Part = {
  name: string;
  port: number;
  pid(): number | undefined;
  restart?(): Promise<void>;
  stop(): Promise<unknown>;
};

/** A signal came while something was starting. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** A part of ours runs and is of no use. Why stands in its own lines. */
export class NotReady extends Error {
  override name = 'NotReady';
}

/** Runs one step of the start and says how long it took; a signal ends the wait for it. */
export async function step<T>({ terminal, signals }: Session, what: string, work: () => Promise<T>): Promise<T> {
  const interrupted = signals.first.then(() => Promise.reject(new Interrupted()));
  return terminal.timed(what, () => Promise.race([work(), interrupted]));
}

/** Keeps a part running until `up` stops, and says when it has to start it again. */
export function keep(
  { terminal, signals }: Session,
  name: string,
  port: number,
  first: Keepable,
  restart: () => Keepable | Promise<Keepable>,
): Part {
  const kept = keepRunning(first, restart, (pauseMs, reason) => {
    if (signals.isStopping()) return;
    // Of a start that failed the first line: the part's own last lines, which follow in the error, stand above already.
    const why = reason instanceof Error ? reason.message.split('\n')[0] : `exit code ${reason}`;
    terminal.step(`${name} ended by itself (${why}): starting it again in ${pauseMs} ms`);
  });
  return { name, port, ...kept };
}
