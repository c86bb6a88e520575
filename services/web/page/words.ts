import type { PageTask } from './api.ts';
import { addDays, dayOf, timeOf } from './days.ts';
import { dueMs, isOverdue } from './tasks/views.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const asUtc = (day: string) => new Date(`${day}T00:00:00Z`);
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long', timeZone: 'UTC' });
const dayMonth = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const dayMonthYear = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const full = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
const fullYear = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

type Moment = { now: number; zone: string };

/** `Today`, `Tomorrow`, `Yesterday`, a weekday within a week, else `3 Dec`, with the year where it is another. */
export function dayWords(day: string, { now, zone }: Moment): string {
  const today = dayOf(now, zone);
  if (day === today) return 'Today';
  if (day === addDays(today, 1)) return 'Tomorrow';
  if (day === addDays(today, -1)) return 'Yesterday';
  if (day > today && day <= addDays(today, 6)) return weekday.format(asUtc(day));
  return (day.slice(0, 4) === today.slice(0, 4) ? dayMonth : dayMonthYear).format(asUtc(day));
}

/** The heading of a day, with its weekday up to the same one next week: `Tomorrow, 29 Nov`. */
export const dayHeading = (day: string, moment: Moment): string => {
  const name = dayWords(day, moment);
  const date = dayMonth.format(asUtc(day));
  if (!name.startsWith(date)) return `${name}, ${date}`;
  return day === addDays(dayOf(moment.now, moment.zone), 7) ? `${weekday.format(asUtc(day))}, ${name}` : name;
};

/** `14:30`, and without its minutes where a sentence needs none. */
const clock = (ms: number, zone: string): string => timeOf(ms, zone);

/** When a task is due, as its row says it: `in 25 min`, `15:00`, `Tomorrow 9:00`, `2 h late`. */
export function dueWords(task: PageTask, moment: Moment): string {
  const { due_date: due } = task;
  if (due === null) return '';
  const { now } = moment;
  if (due.length === 10) return dayWords(due, moment);
  const ms = dueMs(task);
  const away = ms - now;
  if (isOverdue(task, moment) && -away < 12 * HOUR) return `${span(-away)} late`;
  if (away >= 0 && away < 2 * HOUR) return `in ${span(away)}`;
  return timeWords(ms, moment);
}

/** `14:05` of today, else with its day: `Yesterday 14:05`, `3 Dec 14:05`. */
export function timeWords(ms: number, moment: Moment): string {
  const { now, zone } = moment;
  const day = dayOf(ms, zone);
  return day === dayOf(now, zone) ? clock(ms, zone) : `${dayWords(day, moment)} ${clock(ms, zone)}`;
}

/** A length of time in its largest unit: `25 min`, `3 h`, `2 days`. */
export function span(ms: number): string {
  if (ms < MINUTE) return 'a moment';
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 48 * HOUR) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / (24 * HOUR))} days`;
}

/** Without a doubt: `Mon 30 Nov, 09:00`, with the year where it is another. */
export function fullTime(due: string, zone: string, now = Date.now()): string {
  if (due.length === 10) return fullDay(due, now);
  const ms = Date.parse(due);
  return `${fullDay(dayOf(ms, zone), now)}, ${clock(ms, zone)}`;
}

const fullDay = (day: string, now: number): string =>
  (Number(day.slice(0, 4)) === new Date(now).getUTCFullYear() ? full : fullYear).format(asUtc(day)).replace(',', '');

/** `PT15M` as `15 min`, `P1D` as `1 day`. */
export function offsetWords(offset: string): string {
  const { days, hours, minutes, seconds } = Temporal.Duration.from(offset);
  const parts = [
    days && `${days} ${days === 1 ? 'day' : 'days'}`,
    hours && `${hours} h`,
    minutes && `${minutes} min`,
    seconds && `${seconds} s`,
  ].filter(Boolean);
  return parts.join(' ');
}

/** When a reminder comes, seen from its task: `15 min before`, `when due`. */
export const reminderWords = (offset: string): string => {
  const words = offsetWords(offset);
  return words ? `${words} before` : 'when due';
};

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** The title of one task, the number of several. */
export const nameOf = (tasks: PageTask[]): string =>
  tasks.length === 1 ? (tasks[0]?.title ?? '') : count(tasks.length, 'task');
