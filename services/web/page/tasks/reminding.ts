import type { PageTask } from '../api.ts';
import { addDays, dayOf, instantOf, timeOf } from '../days.ts';
import { zone } from '../session.ts';
import { changes } from '../state.ts';

const MINUTE = 60_000;

export type Pause = { key: string; name: string; until: (now: number, zone: string) => number };

/** How long a reminder may be put off by one click or key. */
export const pauses: Pause[] = [
  { key: '1', name: '10 min', until: (now) => now + 10 * MINUTE },
  { key: '2', name: '1 h', until: (now) => now + 60 * MINUTE },
  { key: '3', name: 'Tomorrow 9:00', until: (now, zone) => at('09:00', 1, now, zone) },
  { key: '4', name: '1 week', until: (now, zone) => at(timeOf(now, zone), 7, now, zone) },
];

/** A time of a day that comes. */
const at = (time: string, days: number, now: number, zone: string): number =>
  Date.parse(instantOf(addDays(dayOf(now, zone), days), time, zone));

/** It has reminded, and waits to be looked at. */
export const hasRung = (task: PageTask): boolean => !task.completed && task.reminder_status === 'sent';

/** It has reminded, or was put off before. (The server would put off one that has not come yet, too.) */
export const canSnooze = (task: PageTask): boolean =>
  hasRung(task) || (!task.completed && task.reminder_status === 'pending' && task.snoozed_until !== null);

export function snoozeBy(tasks: PageTask[], { until, name }: Pause): void {
  changes.snooze(tasks, until(Date.now(), zone.value), `Reminds again: ${name}. Due stays as it is.`);
}
