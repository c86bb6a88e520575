import type { Books } from './books.ts';

/** An event that is later than that has waited for something. */
const LATE_MS = 1000;

/**
 * How long after the end of the fault the last event arrived that had waited: more than a second from its commit to the
 * inbox, the audit trail or the reminder service. 0 when none did. In ms.
 */
export function recoveryMs({ outbox, reminders, inbox, audit, schedule }: Books, faultEndedAt: Date): number {
  const writtenAt = new Map([...outbox, ...reminders].map(({ event_id, at }) => [event_id, at.getTime()]));
  const versionAt = new Map(
    outbox.map(({ task_id, task_version, at }) => [`${task_id} ${task_version}`, at.getTime()]),
  );
  const arrivals = [
    ...[...inbox, ...audit].map(({ event_id, at }) => ({ from: writtenAt.get(event_id), at })),
    ...schedule.map(({ task_id, task_version, at }) => ({ from: versionAt.get(`${task_id} ${task_version}`), at })),
  ];
  const late = arrivals.filter(({ from, at }) => from !== undefined && at.getTime() - from > LATE_MS);
  const last = late.reduce((latest, { at }) => Math.max(latest, at.getTime()), 0);
  return Math.max(0, last - faultEndedAt.getTime());
}
