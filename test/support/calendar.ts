// The slow oracle of dates and clocks for property tests: it walks days by its own arithmetic and asks Intl for offsets.
// It shares no code with what it judges: no Temporal, no rrule.

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Zones whose clocks do unusual things, and a few that do nothing. */
export const zones = [
  'UTC',
  'Europe/Berlin',
  'Europe/Dublin',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Santiago',
  'America/Havana',
  'America/Nuuk',
  'Antarctica/Troll',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Kathmandu',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
];

/** Days since 1970-01-01 as `YYYY-MM-DD`. */
export function dayText(day: number): string {
  const { year, month, date } = civil(day);
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`;
}

/** The opposite of dayText. */
export function dayNumber(text: string): number {
  const [year = 0, month = 0, date = 0] = text.split('-').map(Number);
  const monthsBefore = Array.from({ length: month - 1 }, (_, i) => daysInMonth(year, i + 1));
  return firstOfYear(year) + monthsBefore.reduce((a, b) => a + b, 0) + date - 1;
}

/** Year, month and day of the month of a day number, month and day from 1; the weekday from Monday = 0. */
export function civil(day: number): { year: number; month: number; date: number; weekday: number } {
  let year = 1970 + Math.floor(day / 366);
  while (firstOfYear(year + 1) <= day) year += 1;
  let date = day - firstOfYear(year) + 1;
  let month = 1;
  while (date > daysInMonth(year, month)) date -= daysInMonth(year, month++);
  return { year, month, date, weekday: (((day + 3) % 7) + 7) % 7 };
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function firstOfYear(year: number): number {
  const before = year - 1;
  return before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** The clocks of a zone, read from Intl. */
export function clock(zone: string) {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  formats.set(zone, format);

  return {
    /** The local day number and the milliseconds on the clock at an instant. */
    read(instant: number): { day: number; timeMs: number } {
      const local = instant + offsetAt(instant);
      const day = Math.floor(local / DAY_MS);
      return { day, timeMs: local - day * DAY_MS };
    },
    /** The first instant at which the clock shows this, how often it does; if never, as much later as the gap is wide. */
    instant(day: number, timeMs: number): { first: number; count: number } {
      const local = day * DAY_MS + timeMs;
      const before = offsetAt(local - 40 * HOUR_MS);
      const after = offsetAt(local + 40 * HOUR_MS);
      const found = [...new Set([local - before, local - after])].filter((at) => at + offsetAt(at) === local);
      return { first: found.length ? Math.min(...found) : local - before, count: found.length };
    },
    offsetAt,
  };

  function offsetAt(instant: number): number {
    const name = format.formatToParts(instant).find((part) => part.type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?$/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * HOUR_MS + Number(minutes ?? 0) * 60_000);
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The local days from 2005 to 2037 around which a zone's offset changes; some days where it never does. */
export function zoneChanges(zone: string): number[] {
  const known = changes.get(zone) ?? findChanges(zone);
  changes.set(zone, known);
  return known;
}

const changes = new Map<string, number[]>();

function findChanges(zone: string): number[] {
  const { offsetAt } = clock(zone);
  const found: number[] = [];
  for (let day = dayNumber('2005-01-01'); day < dayNumber('2038-01-01'); day++) {
    if (offsetAt(day * DAY_MS) !== offsetAt((day + 1) * DAY_MS)) found.push(day);
  }
  return found.length ? found : [dayNumber('2026-11-24'), dayNumber('2028-02-29')];
}
