/** What a reminder went through. `trigger_at`: its time. `created_at`: when this time was set on the task. */
export interface Passage {
  trigger_at: Date;
  created_at: Date;
  /** When the task's event reached this service. */
  updated_at: Date;
  /** When it fired. */
  claimed_at: Date;
}

/** Later than this an event says so (CONTRACT 8). */
const LATE_MS = 60_000;

/**
 * How late a reminder published at `publishedAt` is and what took the longest, or nothing within a minute. Each part of
 * the way counts only from the trigger time on: what came before could not delay it.
 */
export function lateness(passage: Passage, publishedAt: number): { late_by_ms: number; late_reason: string } | null {
  const lateByMs = publishedAt - passage.trigger_at.getTime();
  if (lateByMs <= LATE_MS) return null;
  const firedAt = passage.claimed_at.getTime();
  const moments = [
    { reason: 'its time had passed when the task was saved', at: Math.min(passage.created_at.getTime(), firedAt) },
    { reason: 'the event of the task arrived late', at: Math.min(passage.updated_at.getTime(), firedAt) },
    { reason: 'the reminder service or its database was down, or the account was disabled', at: firedAt },
    { reason: 'publishing was down', at: publishedAt },
  ];
  let reached = passage.trigger_at.getTime();
  let longest = { reason: '', ms: 0 };
  for (const { reason, at } of moments) {
    if (at - reached > longest.ms) longest = { reason, ms: at - reached };
    reached = Math.max(reached, at);
  }
  return { late_by_ms: lateByMs, late_reason: longest.reason };
}

/** How long this system, not the person, delayed a reminder, in seconds: from its time, or from its later setting. */
export const delaySeconds = ({ trigger_at, created_at }: Passage, publishedAt: number): number =>
  Math.max(0, publishedAt - Math.max(trigger_at.getTime(), created_at.getTime())) / 1000;
