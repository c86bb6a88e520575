import type { Log } from '#shared/log';

/**
 * Repeats `runOnce` every `everyMs`, never two at a time. That it fails, and that it works again, is logged once.
 * `stop()` resolves when the run in hand has ended.
 */
export function createLoop({
  name,
  everyMs,
  runOnce,
  log,
}: {
  name: string;
  everyMs: number;
  runOnce: () => Promise<void>;
  log: Log;
}) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isStopped = false;
  let isFailing = false;

  async function run(): Promise<void> {
    try {
      await runOnce();
      if (isFailing) log.info('loop works again', { loop: name });
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn('loop fails and is tried again', { loop: name, error });
      isFailing = true;
    }
    if (!isStopped) arm();
  }

  function arm(): void {
    timer = setTimeout(() => (running = run()), everyMs);
  }

  return {
    start: arm,
    async stop(): Promise<void> {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
