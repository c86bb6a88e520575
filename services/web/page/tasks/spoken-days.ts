import { addDays, dayOf, timeOf } from '../days.ts';

// Days and lengths of time as people write them in a line.

export type Moment = { now: number; zone: string };
/** A day; with `at` its instant, which the wall clock alone does not name where it comes twice. */
export type Given = { day: string; time?: string; at?: string };

export const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

export const day = '(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?s?';
export const days = `${day}(?:(?:\\s*,\\s*|\\s+and\\s+)${day})*`;
/** Whole words: "2 junior developers" are in no month. */
export const month =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
const named =
  'today|tonight|tomorrow|yesterday|next\\s+(?:week|month)|this\\s+weekend|(?:at\\s+)?(?:the\\s+)?end\\s+of\\s+(?:the\\s+)?month';
export const date = `\\d{4}-\\d\\d-\\d\\d|\\d{1,2}[./]\\d{1,2}[./]\\d{4}|${named}|(?:on\\s+|next\\s+)?${day}|(?:on\\s+)?\\d{1,2}(?:st|nd|rd|th)?\\s+${month}(?:\\s+\\d{4})?|(?:on\\s+)?${month}\\s+\\d{1,2}(?:st|nd|rd|th)?(?:\\s+\\d{4})?`;
export const length = '\\d{1,4}\\s*(?:minutes?|mins?|m|hours?|h|days?|d|weeks?|w)';

/** Null: it has the form but is none, as the 31st of February. */
export function dateOf(text: string, { now, zone }: Moment): Given | null {
  const today = dayOf(now, zone);
  if (text === 'today') return { day: today };
  if (text === 'tonight') return { day: today, time: '20:00' };
  if (text === 'tomorrow') return { day: addDays(today, 1) };
  if (text === 'yesterday') return { day: addDays(today, -1) };
  if (text === 'next week') return dateOf('monday', { now, zone });
  if (text === 'this weekend')
    return Temporal.PlainDate.from(today).dayOfWeek > 5 ? { day: today } : dateOf('saturday', { now, zone });
  const firstOfMonth = Temporal.PlainDate.from(today).with({ day: 1 });
  if (text === 'next month') return { day: firstOfMonth.add({ months: 1 }).toString() };
  if (text.includes('end of')) return { day: firstOfMonth.add({ months: 1 }).subtract({ days: 1 }).toString() };
  if (text.startsWith('in ')) return later(text, { now, zone });
  const bare = text.replace(/^(on|next) /, '');
  if (new RegExp(`^${day}$`).test(bare)) {
    const wanted = DAYS.indexOf(bare.slice(0, 3).toUpperCase()) + 1;
    const ahead = (wanted - Temporal.PlainDate.from(today).dayOfWeek + 7) % 7;
    return { day: addDays(today, ahead === 0 ? 7 : ahead) };
  }
  if (/^\d{4}-/.test(bare)) return existing(bare);
  const [, sign, first = '', second = '', inYear] = /^(?=\d+(.))(\d+)[./](\d+)[./](\d{4})$/.exec(bare) ?? [];
  if (inYear !== undefined) {
    const dayFirst = existing(`${inYear}-${second.padStart(2, '0')}-${first.padStart(2, '0')}`);
    if (sign === '.') return dayFirst;
    // With strokes half of the world says the month first: only what is one date in both ways, or in one way alone.
    const monthFirst = existing(`${inYear}-${first.padStart(2, '0')}-${second.padStart(2, '0')}`);
    return dayFirst && monthFirst && first !== second ? null : (dayFirst ?? monthFirst);
  }
  const on = monthAndDay(bare);
  const [year] = /\d{4}/.exec(bare) ?? [];
  if (year !== undefined) return existing(`${year}-${on}`);
  const thisYear = Number(today.slice(0, 4));
  // The 29th of February comes in eight years at the latest.
  for (let next = thisYear; next <= thisYear + 8; next++) {
    const found = existing(`${next}-${on}`);
    if (found && found.day >= today) return found;
  }
  return null;
}

/** `MM-DD` of `5 may`, `may 5th`. */
export function monthAndDay(text: string): string {
  const [, monthName = ''] = /([a-z]{3,})/.exec(text.replace(/\d(st|nd|rd|th)\b/, '')) ?? [];
  const [, number = ''] = /(?:^|\s)(\d{1,2})(?:st|nd|rd|th)?\b(?!\d)/.exec(text) ?? [];
  return `${String(MONTHS.indexOf(monthName.slice(0, 3)) + 1).padStart(2, '0')}-${number.padStart(2, '0')}`;
}

function later(text: string, { now, zone }: Moment): Given | null {
  const found = lengthOf(text);
  if (found === null) return null;
  const { amount, unit } = found;
  if (unit === 'd' || unit === 'w') return { day: addDays(dayOf(now, zone), unit === 'w' ? amount * 7 : amount) };
  const at = Temporal.Instant.fromEpochMilliseconds(now)
    .add(unit === 'h' ? { hours: amount } : { minutes: amount })
    .round({ smallestUnit: 'minute', roundingMode: 'floor' });
  const ms = at.epochMilliseconds;
  return { day: dayOf(ms, zone), time: timeOf(ms, zone), at: at.toString() };
}

export function existing(text: string): { day: string } | null {
  try {
    return { day: Temporal.PlainDate.from(text, { overflow: 'reject' }).toString() };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

export function lengthOf(text: string): { amount: number; unit: 'm' | 'h' | 'd' | 'w' } | null {
  const [, amount, unit] = /(\d+) ?([mhdw])/.exec(text) ?? [];
  return unit === undefined ? null : { amount: Number(amount), unit: unit as 'm' };
}
