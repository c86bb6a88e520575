import type { Books } from './books.ts';

/** An event that is later than that has waited for something. */
const LATE_MS = 1000;

export type Recovery = { outbox: number; inbox: number; audit: number; schedule: number };

/**
 * How long after the end of the fault the last event left the outbox that had waited in it for more than a second, and
 * how long after it the last one arrived that was so late at a consumer, by who keeps it. 0 when none was. In ms.
 */
export function recoveryMs({ outbox, reminders, inbox, audit, schedule }: Books, faultEndedAt: Date): Recovery {
  const written = new Map([...outbox, ...reminders].map((event) => [event.event_id, event.at]));
  const versions = new Map(outbox.map(({ task_id, task_version, at }) => [`${task_id} ${task_version}`, at]));
  const last = <Row>(rows: Row[], from: (row: Row) => Date | undefined, to: (row: Row) => Date | null) => {
    const times = rows.map((row) => ({ from: from(row)?.getTime() ?? 0, to: to(row)?.getTime() ?? 0 }));
    const late = times.filter((time) => time.from > 0 && time.to - time.from > LATE_MS);
    return late.reduce((latest, time) => Math.max(latest, time.to - faultEndedAt.getTime()), 0);
  };
  return {
    outbox: last(
      outbox,
      (row) => row.at,
      (row) => row.sent_at,
    ),
    inbox: last(
      inbox,
      (row) => written.get(row.event_id),
      (row) => row.at,
    ),
    audit: last(
      audit,
      (row) => written.get(row.event_id),
      (row) => row.at,
    ),
    schedule: last(
      schedule,
      (row) => versions.get(`${row.task_id} ${row.task_version}`),
      (row) => row.at,
    ),
  };
}
