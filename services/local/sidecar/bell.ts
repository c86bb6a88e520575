/** Wakes whoever waits at that moment. Waiters check their condition again afterwards, so a ring too many does no harm. */
export type Bell = { ring(): void; rung(): Promise<void> };

export function createBell(): Bell {
  let current = Promise.withResolvers<void>();
  return {
    ring() {
      current.resolve();
      current = Promise.withResolvers();
    },
    rung: () => current.promise,
  };
}
