import type { Log } from '#shared/log';

/** What failed is tried again after this, however long the loop usually waits. */
const RETRY_MS = 1000;

export type Loop = ReturnType<typeof createLoop>;

/**
 * Repeats `runOnce`, never two at a time, and asks `waitMs` after each run how long to wait. That it fails, and that it
 * works again, is logged once.
 */
export function createLoop({
  name,
  runOnce,
  waitMs,
  log,
}: {
  name: string;
  runOnce: (stopping: AbortSignal) => Promise<void>;
  waitMs: () => number;
  log: Log;
}) {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isFailing = false;

  async function run(): Promise<void> {
    try {
      await runOnce(stopping.signal);
      if (isFailing) log.info('loop works again', { loop: name });
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn('loop fails and is tried again', { loop: name, error });
      isFailing = true;
    }
    running = undefined;
    arm();
  }

  function arm(ms = isFailing ? RETRY_MS : waitMs()): void {
    clearTimeout(timer);
    if (!stopping.signal.aborted) timer = setTimeout(() => (running = run()), ms);
  }

  return {
    start: () => arm(0),
    /** Asks anew how long to wait: something nearer may have come. */
    wake(): void {
      if (timer && !running && !isFailing) arm();
    },
    /** Resolves when the run in hand has ended; no other begins. */
    async stop(): Promise<void> {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
