/** Streams that beat together. */
const SLOTS = 100;

/**
 * One timer for the heartbeats of all streams: each stands in one of 100 slots, filled in turn, and each slot has its
 * turn once in `periodMs`. So 10,000 streams need one timer, and beat spread over the period however they came.
 */
export function createWheel<T>(periodMs: number, beat: (entry: T) => void) {
  const slots = Array.from({ length: SLOTS }, () => new Set<T>());
  const slotOf = new Map<T, Set<T>>();
  let next = 0;
  let current = 0;

  function turn(): void {
    for (const entry of slots[current] ?? []) beat(entry);
    current = (current + 1) % SLOTS;
  }
  const timer = setInterval(turn, periodMs / SLOTS);

  return {
    add(entry: T): void {
      const slot = slots[next] as Set<T>;
      next = (next + 1) % SLOTS;
      slot.add(entry);
      slotOf.set(entry, slot);
    },
    delete(entry: T): void {
      slotOf.get(entry)?.delete(entry);
      slotOf.delete(entry);
    },
    stop: () => clearInterval(timer),
  };
}
