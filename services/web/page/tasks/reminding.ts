import type { PageTask } from '../api.ts';
import { addDays, dayOf, instantOf } from '../days.ts';
import { zone } from '../session.ts';
import { changes } from '../state.ts';

export type Pause = { key: string; name: string; length: (now: number, zone: string) => string };

/** How long a reminder may be put off by one click or key. */
export const pauses: Pause[] = [
  { key: '1', name: '10 min', length: () => '10 minutes' },
  { key: '2', name: '1 h', length: () => '1 hour' },
  { key: '3', name: 'Tomorrow 9:00', length: untilTomorrow },
  { key: '4', name: '1 week', length: () => '7 days' },
];

function untilTomorrow(now: number, zone: string): string {
  const at = Date.parse(instantOf(addDays(dayOf(now, zone), 1), '09:00', zone));
  return `${Math.max(1, Math.round((at - now) / 60_000))} minutes`;
}

/** It has reminded, and waits to be looked at. */
export const hasRung = (task: PageTask): boolean => !task.completed && task.reminder_status === 'sent';

/** It has reminded, or was put off before. (The server would put off one that has not come yet, too.) */
export const canSnooze = (task: PageTask): boolean =>
  hasRung(task) || (!task.completed && task.reminder_status === 'pending' && task.snoozed_until !== null);

export function snoozeBy(task: PageTask, { length, name }: Pause): void {
  changes.snooze(task, length(Date.now(), zone.value), `Reminds again: ${name}. Due stays as it is.`);
}
