import { type Bell, createBell } from './bell.ts';
import { isTransient, within } from './db.ts';
import type { Log } from './log.ts';

/** Work that a service repeats beside its requests. All times in ms. */
export interface Job {
  name: string;
  /** From the end of a run to the next one. As a function it is asked after each run. */
  everyMs: number | (() => number);
  /** Does what there is to do. The signal says that the service stops: begin nothing new. */
  runOnce: (stopping: AbortSignal) => Promise<unknown>;
  /** From a run that failed to the next one, unless `everyMs` is a shorter time: a second where nothing else is said. */
  retryMs?: number;
  /** Rung by whoever has work for it that cannot wait. */
  bell?: Bell;
}

export type Loop = ReturnType<typeof createLoop>;

const RETRY_MS = 1000;
/** Longest a stop waits for the run in hand: half of what a whole shutdown may take. */
const STOP_MS = 5000;

/**
 * Repeats a job: at once, then after its pause or at its bell, never two runs at a time. That it fails, and that it works
 * again, is logged once; meanwhile no bell makes it try sooner than its `retryMs`.
 */
export function createLoop({ name, runOnce, everyMs, retryMs = RETRY_MS, bell = createBell() }: Job, log: Log) {
  const stopping = new AbortController();
  const stopBell = createBell();
  const againMs = typeof everyMs === 'number' ? Math.min(retryMs, everyMs) : retryMs;
  let isDegraded = false;
  let repeating: Promise<void> | undefined;

  async function repeat(): Promise<void> {
    while (!stopping.signal.aborted) {
      await run();
      await (isDegraded ? stopBell.next(againMs) : bell.next(typeof everyMs === 'number' ? everyMs : everyMs()));
    }
  }

  async function run(): Promise<void> {
    try {
      await runOnce(stopping.signal);
      if (isDegraded) log.info('loop recovered', { loop: name });
      isDegraded = false;
    } catch (error) {
      if (!isDegraded) log[isTransient(error) ? 'warn' : 'error']('loop degraded', { loop: name, error });
      isDegraded = true;
    }
  }

  return {
    start(): void {
      repeating ??= repeat();
    },
    /** Begins no other run and resolves when the one in hand has ended, or after 5 s. */
    async stop(): Promise<void> {
      stopping.abort();
      for (const each of [bell, stopBell]) each.ring();
      if (!repeating) return;
      await within(STOP_MS, repeating).catch(() => log.warn('loop stopped with a run under way', { loop: name }));
    },
  };
}
