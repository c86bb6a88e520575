import { isTransient, within } from './db.ts';
import type { Log } from './log.ts';

/** What failed is tried again after this, however long the loop usually waits. */
const RETRY_MS = 1000;
/** Longest a stop waits for the run in hand: half of what a whole shutdown may take. */
const STOP_MS = 5000;

export type Loop = ReturnType<typeof createLoop>;

/**
 * Repeats `runOnce`: at once, then `everyMs` after the end of each run (or as long as `nextMs` says, asked after each
 * run and at each wake), so never two at a time. That it fails, and that it works again, is logged once; meanwhile it
 * is tried again each `retryMs`, or each `everyMs` if that is shorter. All in ms.
 */
export function createLoop({
  name,
  runOnce,
  everyMs = Infinity,
  nextMs = () => everyMs,
  retryMs = RETRY_MS,
  log,
}: {
  name: string;
  /** The signal says that the loop stops: begin nothing new. */
  runOnce: (stopping: AbortSignal) => Promise<unknown>;
  retryMs?: number;
  log: Log;
} & ({ everyMs: number; nextMs?: never } | { nextMs: () => number; everyMs?: never })) {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isDegraded = false;

  async function run(): Promise<void> {
    try {
      await runOnce(stopping.signal);
      if (isDegraded) log.info('loop recovered', { loop: name });
      isDegraded = false;
    } catch (error) {
      if (!isDegraded) log[isTransient(error) ? 'warn' : 'error']('loop degraded', { loop: name, error });
      isDegraded = true;
    }
    running = undefined;
    arm();
  }

  function arm(): void {
    clearTimeout(timer);
    if (!stopping.signal.aborted) timer = setTimeout(begin, isDegraded ? Math.min(retryMs, everyMs) : nextMs());
  }

  function begin(): void {
    running = run();
  }

  return {
    start: begin,
    /** Asks anew how long to wait: something nearer may have come. */
    wake(): void {
      if (timer && !running && !isDegraded) arm();
    },
    /** Begins no other run and resolves when the one in hand has ended, or after 5 s. */
    async stop(): Promise<void> {
      stopping.abort();
      clearTimeout(timer);
      if (!running) return;
      await within(STOP_MS, running).catch(() => log.warn('loop stopped with a run under way', { loop: name }));
    },
  };
}
