export type Bell = ReturnType<typeof createBell>;

/**
 * Wakes one waiter. A ring that comes while nobody waits is kept, so that none is missed between looking for work and
 * beginning to wait.
 */
export function createBell() {
  let hasRung = false;
  let wake: (() => void) | undefined;
  return {
    ring(): void {
      hasRung = true;
      wake?.();
    },
    /** Resolves at the next ring, or after `ms`. */
    async next(ms: number): Promise<void> {
      if (!hasRung) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, ms);
        wake = resolve;
        await promise;
        wake = undefined;
        clearTimeout(timer);
      }
      hasRung = false;
    },
  };
}
