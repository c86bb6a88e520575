import type { PageTask } from '../api.ts';
import { addDays, dayOf, instantOf, timeOf } from '../days.ts';

export type Move = { key: string; name: string; days: number };

/** Where a task may be moved by one click or key, counted from today. */
export const moves: Move[] = [
  { key: 'd', name: 'Today', days: 0 },
  { key: 't', name: 'Tomorrow', days: 1 },
  { key: 'w', name: 'In a week', days: 7 },
];

/** The same time of another day; a time that has passed there becomes the whole day. */
export function movedTo({ due_date: due }: PageTask, days: number, now: number, zone: string): string {
  const day = addDays(dayOf(now, zone), days);
  if (due === null || due.length === 10) return day;
  const at = instantOf(day, timeOf(Date.parse(due), zone), zone);
  return Date.parse(at) > now ? at : day;
}
