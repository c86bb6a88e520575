import type { Child } from './child.ts';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
/** A process that lived this long had started well: its next crash is a new story. */
const STABLE_MS = 10_000;

/** What it needs of a process. */
export type Keepable = Pick<Child, 'pid' | 'exited' | 'stop'>;

export type Kept = {
  /** Undefined when it does not run: after `stop`, and between a crash and the next start. */
  pid(): number | undefined;
  /** Stops it and starts it again without a pause. Cuts the pause after a crash short. */
  restart(): Promise<void>;
  /** Stops it and keeps it stopped. */
  stop(): Promise<void>;
};

/**
 * Keeps a started process running: calls `start` whenever it ends by itself, after a pause of 200 ms doubling to 5 s.
 * A start that throws counts as one more crash. `onCrash` hears of each pause.
 */
export function keepRunning(
  first: Keepable,
  start: () => Keepable | Promise<Keepable>,
  onCrash: (pauseMs: number, reason: unknown) => void,
): Kept {
  const stopping = new AbortController();
  let asked = new AbortController(); // aborted by `restart`, one for each life
  let child: Keepable | undefined = first;
  const loop = keep();

  async function keep(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    let startedAt = performance.now();
    let reason: unknown = await first.exited;
    child = undefined;
    while (!stopping.signal.aborted) {
      if (performance.now() - startedAt > STABLE_MS) pauseMs = FIRST_PAUSE_MS;
      if (!asked.signal.aborted) {
        onCrash(pauseMs, reason);
        await pause(pauseMs, AbortSignal.any([stopping.signal, asked.signal]));
      }
      if (stopping.signal.aborted) return;
      pauseMs = asked.signal.aborted ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      asked = new AbortController();
      startedAt = performance.now();
      reason = await oneLife();
    }
  }

  async function oneLife(): Promise<unknown> {
    try {
      child = await start();
      if (stopping.signal.aborted) await child.stop(); // asked for while it started
      return await child.exited;
    } catch (error) {
      return error;
    } finally {
      child = undefined;
    }
  }

  return {
    pid: () => child?.pid,
    async restart() {
      asked.abort();
      await child?.stop();
    },
    async stop() {
      stopping.abort();
      await child?.stop();
      await loop;
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}
