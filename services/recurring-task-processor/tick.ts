import type { Log } from '#shared/log';

/** A run that failed is repeated after this, when the usual pause is longer. */
const RETRY_MS = 10_000;

/**
 * Repeats `runOnce`, the first time at once, then `everyMs` after the end of the run before, so never two at a time.
 * That it fails, and that it works again, is logged once.
 */
export function createTick({
  runOnce,
  everyMs,
  log,
}: {
  runOnce: (stopping: AbortSignal) => Promise<void>;
  everyMs: number;
  log: Log;
}) {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isFailing = false;

  async function run(): Promise<void> {
    try {
      await runOnce(stopping.signal);
      if (isFailing) log.info('runs succeed again');
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn('run failed, tried again', { error });
      isFailing = true;
    }
    if (!stopping.signal.aborted) timer = setTimeout(start, isFailing ? Math.min(RETRY_MS, everyMs) : everyMs);
  }

  function start(): void {
    running = run();
  }

  return {
    start,
    /** Resolves when the run in hand has ended; it ends after the call it is making. */
    async stop(): Promise<void> {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
