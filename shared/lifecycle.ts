import type { Log } from './log.ts';

/** Longest a whole shutdown may take, in ms, beyond what draining was told to take. */
const LIMIT_MS = 10_000;

/**
 * Collects what was opened and closes it in reverse order on SIGTERM or SIGINT, then ends the process with 0. A step
 * that fails is logged and the next still runs. A second signal changes nothing: Ctrl-C under npx arrives twice.
 */
export function createLifecycle(log: Log, { drainMs = 0 }: { drainMs?: number } = {}) {
  const steps: { name: string; close: () => unknown }[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    for (const { name, close } of steps.reverse()) {
      try {
        await close();
      } catch (error) {
        log.error('shutdown step failed', { step: name, error });
      }
    }
  }

  function stop(signal: string): void {
    if (closing) return;
    const startedAt = performance.now();
    log.info('stopping', { signal });
    setTimeout(() => process.exit(1), LIMIT_MS + drainMs).unref();
    closing = closeAll().then(() => {
      log.info('stopped', { ms: Math.round(performance.now() - startedAt) });
      process.exit(0);
    });
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));
  return {
    /** Runs `close` at shutdown, before everything deferred earlier. */
    defer(name: string, close: () => unknown): void {
      steps.push({ name, close });
    },
  };
}
