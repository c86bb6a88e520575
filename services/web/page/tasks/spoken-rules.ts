import { day, days, DAYS, existing, month, monthAndDay } from './spoken-days.ts';

// How people say how often, and the pattern that says it (CONTRACT 7).

const UNITS = { day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY', year: 'YEARLY' } as const;

const nth = '(?:1st|2nd|3rd|4th|5th|first|second|third|fourth|fifth|last|last\\s+but\\s+one)';
const nthDay = `${nth}\\s+(?:${day}|weekday|workday)`;
const dayOfYear = `(?:\\d{1,2}(?:st|nd|rd|th)?\\s+(?:of\\s+)?${month}|${month}\\s+(?:the\\s+)?\\d{1,2}(?:st|nd|rd|th)?)`;
const ofMonth = '(?:\\s+(?:of|in)\\s+(?:the|each|every)\\s+month)?';

/** The longer forms first: what one has taken is no other's. */
export const repeats = [
  `(?:every\\s+month|monthly)\\s+on\\s+(?:the\\s+)?${nthDay}`,
  `every\\s+(?:the\\s+)?${nthDay}${ofMonth}`,
  `(?:on\\s+)?(?:the\\s+)?${nthDay}\\s+(?:of|in)\\s+(?:each|every)\\s+month`,
  `(?:(?:every\\s+year|yearly)\\s+on|every)\\s+(?:the\\s+)?${dayOfYear}`,
  `every\\s+(?:other\\s+|\\d{1,4}\\s+)?(?:(?:day|year)s?|weeks?(?:\\s+on\\s+${days})?|months?(?:\\s+on\\s+(?:the\\s+)?(?:\\d{1,2}(?:st|nd|rd|th)?|last(?:\\s+day)?))?)`,
  `every\\s+(?:weekday|workday|weekend|quarter|${days}|(?:the\\s+)?\\d{1,2}(?:st|nd|rd|th)|last\\s+day(?:\\s+of\\s+the\\s+month)?)s?`,
  `(?:daily|weekly|monthly|yearly)`,
  `${day}(?:\\s*,\\s*${day})+`,
];

/** Null: it has the form but is none, as the 32nd of each month. */
export function patternOf(text: string): string | null {
  const special = nthDayOf(text) ?? dayOfYearOf(text);
  if (special !== undefined) return special;
  const [, often, unit, on] =
    /^every (other |\d+ )?(day|week|month|year)s?(?: on (?:the )?(.+))?$/.exec(text) ??
    (/^(daily|weekly|monthly|yearly)$/.test(text)
      ? [text, undefined, text === 'daily' ? 'day' : text.slice(0, -2)]
      : []);
  const every = often === undefined ? 1 : often === 'other ' ? 2 : Number(often);
  if (every === 0) return null;
  if (unit !== undefined) return every === 1 ? plain(unit, on) : spaced(every, unit, on);
  const rest = text.replace(/^every /, '');
  if (/^w(ee|or)kdays?$/.test(rest)) return `weekly:${DAYS.slice(0, 5).join(',')}`;
  if (/^weekends?$/.test(rest)) return 'weekly:SAT,SUN';
  if (/^quarters?$/.test(rest)) return 'rrule:FREQ=MONTHLY;INTERVAL=3';
  if (/^last day/.test(rest)) return 'monthly:last';
  if (/\d/.test(rest)) return monthly(rest);
  return `weekly:${dayList(rest)}`;
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth'];

/** `the last friday`, `2nd tuesday`, `first workday`: of each month. Undefined: none of these is meant. */
function nthDayOf(text: string): string | undefined {
  const found = new RegExp(`\\b(${nth}) (?:(weekday|workday)|(${day}))\\b`).exec(text);
  if (!found) return undefined;
  const [, which = '', isWorkday, name = ''] = found;
  const n =
    which === 'last' ? -1 : which.startsWith('last') ? -2 : ORDINALS.indexOf(which) + 1 || Number.parseInt(which, 10);
  if (isWorkday) return `rrule:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=${n}`;
  return `rrule:FREQ=MONTHLY;BYDAY=${n}${name.slice(0, 2).toUpperCase()}`;
}

/** `every 29 feb`, `yearly on march 3rd`; null: a day that no year has. Undefined: no day of the year is meant. */
function dayOfYearOf(text: string): string | null | undefined {
  if (!new RegExp(`${dayOfYear}$`).test(text)) return undefined;
  const bare = text.replace(/^.*\b(?:on|every) (?:the )?/, '').replace(/\b(?:of|the) /, '');
  const on = monthAndDay(bare);
  if (!existing(`2028-${on}`)) return null; // a leap year has them all
  return `rrule:FREQ=YEARLY;BYMONTH=${Number(on.slice(0, 2))};BYMONTHDAY=${Number(on.slice(3))}`;
}

function plain(unit: string, on: string | undefined): string | null {
  if (unit === 'day') return 'daily:';
  if (unit === 'week') return `weekly:${on === undefined ? '' : dayList(on)}`;
  if (unit === 'month') return on === undefined ? 'monthly:' : monthly(on);
  return 'rrule:FREQ=YEARLY';
}

function spaced(every: number, unit: string, on: string | undefined): string | null {
  if (unit === 'day') return `custom:${every}d`;
  const frequency = UNITS[unit as keyof typeof UNITS];
  const rule = `rrule:FREQ=${frequency};INTERVAL=${every}`;
  if (on === undefined) return rule;
  if (unit === 'week') return `${rule};BYDAY=${dayList(on).replace(/(\w\w)\w/g, '$1')}`;
  const number = on.startsWith('last') ? -1 : Number.parseInt(on, 10);
  return number === 0 || number > 31 ? null : `${rule};BYMONTHDAY=${number}`;
}

/** Two months and a 31st are as far as a named day can be. */
const FARTHEST = 62;

/** Weeks and months that are passed over count from the first date: it is the first day from `today` on that the rule names. */
export function firstNamed(pattern: string, today: string): string {
  const [, days, number] = /;INTERVAL=\d+;BY(?:DAY=([A-Z,]+)|MONTHDAY=(-?\d+))$/.exec(pattern) ?? [];
  if (days === undefined && number === undefined) return today;
  const isNamed = (date: Temporal.PlainDate) =>
    days === undefined
      ? date.day === (number === '-1' ? date.daysInMonth : Number(number))
      : days.includes((DAYS[date.dayOfWeek - 1] ?? '').slice(0, 2));
  let date = Temporal.PlainDate.from(today);
  for (let ahead = 0; ahead < FARTHEST && !isNamed(date); ahead++) date = date.add({ days: 1 });
  return date.toString();
}

function monthly(on: string): string | null {
  if (on.startsWith('last')) return 'monthly:last';
  const number = Number.parseInt(on.replace('the ', ''), 10);
  return number >= 1 && number <= 31 ? `monthly:${number}` : null;
}

/** In the order of the week, each once. */
function dayList(text: string): string {
  const named = new Set(text.split(/ ?, ?| and /).map((word) => word.slice(0, 3).toUpperCase()));
  return DAYS.filter((name) => named.has(name)).join(',');
}
