import type { PageTask } from '../api.ts';
import { addDays, dayOf, instantOf, timeOf } from '../days.ts';

export type Move = { key: string; name: string; days: number };

/** Where a task may be moved to by one click or key, counted from today. */
export const moves: Move[] = [
  { key: 'd', name: 'today', days: 0 },
  { key: 't', name: 'tomorrow', days: 1 },
  { key: 'w', name: 'a week from now', days: 7 },
];

/** The same time of another day; a time that has passed there becomes the whole day. */
export function movedTo({ due_date: due }: PageTask, days: number, now: number, zone: string): string {
  const day = addDays(dayOf(now, zone), days);
  if (due === null || due.length === 10) return day;
  const at = instantOf(day, timeOf(Date.parse(due), zone), zone);
  return Date.parse(at) > now ? at : day;
}

/** Those that were due on a day before today. What is due today already needs no move, and would lose its time by one. */
export function fromBefore(tasks: PageTask[], now: number, zone: string): PageTask[] {
  const today = dayOf(now, zone);
  return tasks.filter(({ due_date: due }) => due !== null && dayDue(due, zone) < today);
}

const dayDue = (due: string, zone: string): string => (due.length === 10 ? due : dayOf(Date.parse(due), zone));
