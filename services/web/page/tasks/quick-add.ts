import type { TaskInput } from '../api.ts';
import { addDays, clockNote, dayOf, instantOf, timeOf } from '../days.ts';

export type Kind = 'repeat' | 'until' | 'reminder' | 'priority' | 'date' | 'time';

/** What was understood of a line, and where it stands there. */
export type Part = Span & { kind: Kind; text: string };
type Span = { start: number; end: number };

export type Understood = {
  parts: Part[];
  input: TaskInput & { title: string };
  /** What keeps it from being saved. */
  problem: string | null;
  /** What daylight saving does to its time. */
  note: string | null;
  /** What looks like a date, a time or a rule and is none, and so stays in the title. */
  doubts: string[];
};

type Moment = { now: number; zone: string };

const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const UNITS = { day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY', year: 'YEARLY' } as const;

const day = '(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?s?';
const days = `${day}(?:(?:\\s*,\\s*|\\s+and\\s+)${day})*`;
const month = '(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*';
const date = `\\d{4}-\\d\\d-\\d\\d|\\d{1,2}\\.\\d{1,2}\\.\\d{4}|today|tomorrow|(?:on\\s+|next\\s+)?${day}|(?:on\\s+)?\\d{1,2}(?:st|nd|rd|th)?\\s+${month}(?:\\s+\\d{4})?|(?:on\\s+)?${month}\\s+\\d{1,2}(?:st|nd|rd|th)?(?:\\s+\\d{4})?`;
const nth = '(?:1st|2nd|3rd|4th|5th|first|second|third|fourth|fifth|last|last\\s+but\\s+one)';
const nthDay = `${nth}\\s+(?:${day}|weekday|workday)`;
const dayOfYear = `(?:\\d{1,2}(?:st|nd|rd|th)?\\s+(?:of\\s+)?${month}|${month}\\s+(?:the\\s+)?\\d{1,2}(?:st|nd|rd|th)?)`;
const ofMonth = '(?:\\s+(?:of|in)\\s+(?:the|each|every)\\s+month)?';
const length = '\\d{1,4}\\s*(?:minutes?|mins?|m|hours?|h|days?|d|weeks?|w)';

/** In the order in which they are looked for: what one has taken is no other's. */
const forms: [Kind, string][] = [
  ['until', `until\\s+(?:${date})`],
  ['repeat', `(?:every\\s+month|monthly)\\s+on\\s+(?:the\\s+)?${nthDay}`],
  ['repeat', `every\\s+(?:the\\s+)?${nthDay}${ofMonth}`],
  ['repeat', `(?:on\\s+)?(?:the\\s+)?${nthDay}\\s+(?:of|in)\\s+(?:each|every)\\s+month`],
  ['repeat', `(?:(?:every\\s+year|yearly)\\s+on|every)\\s+(?:the\\s+)?${dayOfYear}`],
  [
    'repeat',
    `every\\s+(?:other\\s+|\\d{1,4}\\s+)?(?:(?:day|year)s?|weeks?(?:\\s+on\\s+${days})?|months?(?:\\s+on\\s+(?:the\\s+)?(?:\\d{1,2}(?:st|nd|rd|th)?|last(?:\\s+day)?))?)`,
  ],
  [
    'repeat',
    `every\\s+(?:weekday|workday|weekend|quarter|${days}|(?:the\\s+)?\\d{1,2}(?:st|nd|rd|th)|last\\s+day(?:\\s+of\\s+the\\s+month)?)s?`,
  ],
  ['repeat', `(?:daily|weekly|monthly|yearly)`],
  ['repeat', `${day}(?:\\s*,\\s*${day})+`],
  [
    'reminder',
    `\\^(?:0|${length})|remind(?:er)?(?:\\s+me)?\\s+(?:${length}(?:\\s+(?:before|early))?|at\\s+(?:its\\s+)?time)`,
  ],
  ['priority', `!(?:low|medium|high|urgent)`],
  ['date', `in\\s+${length}`],
  ['date', date],
  ['time', `(?:at\\s+)?(?:\\d{1,2}:\\d\\d(?:\\s*[ap]m)?|\\d{1,2}\\s*[ap]m)|at\\s+\\d{1,2}|(?:at\\s+)?noon`],
];
const sought = forms.map(
  ([kind, form]) => [kind, new RegExp(`(?<=^|\\s)(?:${form})(?=$|\\s|[,;.](?:\\s|$))`, 'gi')] as const,
);

/**
 * Reads a line such as `Stand-up every mon,wed 9:00 !high ^15m until 30 jun`. Of two dates the last one counts, as what is
 * said at the end is meant for it; `"quoted"` words and parts whose text is in `ignored` stay in the title. Nothing that is
 * understood is left out silently: what cannot be kept is a `problem`.
 */
export function readLine(line: string, moment: Moment, ignored: ReadonlySet<string> = new Set()): Understood {
  const parts: Part[] = [];
  const values: { [K in Kind]?: unknown } = {};
  const doubts: string[] = [];
  // What is quoted or taken is blotted out, so that no later form begins within it.
  let rest = line.replace(/"[^"]*"/g, (quoted) => BLOT.repeat(quoted.length));
  const blot = ({ start, end }: Span) => (rest = rest.slice(0, start) + BLOT.repeat(end - start) + rest.slice(end));
  for (const [kind, form] of sought) {
    if (kind in values) continue;
    for (const { index: start, 0: text } of [...rest.matchAll(form)].reverse()) {
      const part: Part = { kind, start, end: start + text.length, text };
      if (ignored.has(text)) continue;
      if (kind === 'repeat' && start === 0 && /^[a-z]+$/i.test(text)) continue; // "Weekly report" is a title
      const value = valueOf(kind, text.toLowerCase().replace(/\s+/g, ' '), moment);
      blot(part);
      if (value === null) {
        doubts.push(text);
        continue;
      }
      values[kind] = value;
      parts.push(part);
      break;
    }
  }
  parts.sort((a, b) => a.start - b.start);
  const [, more] =
    /^\s+((?:on|of|in|at) .*?)\u0000*$/s.exec(
      rest.slice(parts.find(({ kind }) => kind === 'repeat')?.end ?? line.length),
    ) ?? [];
  if (more !== undefined) doubts.push(more.replaceAll(BLOT, '').trim());
  return { parts, doubts, ...inputOf(titleOf(line, parts), values as Values, moment) };
}

const BLOT = '\u0000';

type Values = {
  repeat?: string;
  until?: string;
  reminder?: string;
  priority?: string;
  date?: Given;
  time?: string;
};

/** A day; with `at` its instant, which the wall clock alone does not name where it comes twice. */
type Given = { day: string; time?: string; at?: string };

function titleOf(line: string, parts: Part[]): string {
  let title = '';
  let from = 0;
  for (const { start, end } of parts) {
    title += line.slice(from, start);
    from = end;
  }
  title += line.slice(from);
  return title
    .replace(/"([^"]*)"/g, '$1')
    .replace(/\s+/g, ' ')
    .replace(/\s+([,;.])/g, '$1')
    .replace(/[\s,;]+$/, '')
    .trim();
}

function inputOf(
  title: string,
  { repeat, until, reminder, priority, date: given, time: clock }: Values,
  moment: Moment,
): Omit<Understood, 'parts' | 'doubts'> {
  const time = clock ?? given?.time;
  const at = clock === undefined ? given?.at : undefined;
  const due = given?.day ?? (time !== undefined || repeat !== undefined ? firstDay(time, moment) : undefined);
  const input: Understood['input'] = {
    title,
    ...(priority !== undefined && { priority }),
    ...(due !== undefined && { due_date: at ?? (time === undefined ? due : instantOf(due, time, moment.zone)) }),
    ...(repeat !== undefined && { recurrence_pattern: repeat }),
    ...(until !== undefined && { recurrence_end_date: until }),
    ...(reminder !== undefined && { reminder_offset: reminder }),
  };
  const isClock = due !== undefined && time !== undefined && at === undefined;
  return { input, problem: problemOf(input), note: isClock ? clockNote(due, time, moment.zone) : null };
}

function problemOf({ title, due_date: due, recurrence_pattern: repeat, ...rest }: Understood['input']): string | null {
  if (title === '') return 'What is to be done?';
  if (rest.reminder_offset !== undefined && due === undefined) return 'A reminder needs a date or a time.';
  if (rest.recurrence_end_date !== undefined && repeat === undefined)
    return '“until” needs a repeat, such as “every day”.';
  return null;
}

/** A time that has passed today is meant for tomorrow. */
function firstDay(time: string | undefined, { now, zone }: Moment): string {
  const today = dayOf(now, zone);
  return time !== undefined && time <= timeOf(now, zone) ? addDays(today, 1) : today;
}

/** Null: it has the form but is none, as the 31st of February. */
function valueOf(kind: Kind, text: string, moment: Moment): unknown {
  switch (kind) {
    case 'priority':
      return text.slice(1);
    case 'reminder':
      return reminderOf(text);
    case 'repeat':
      return patternOf(text);
    case 'until':
      return dateOf(text.replace(/^until /, ''), moment)?.day ?? null;
    case 'date':
      return dateOf(text, moment);
    case 'time':
      return clockOf(text);
  }
}

function reminderOf(text: string): string | null {
  const length_ = lengthOf(text);
  if (length_ === null) return 'PT0S';
  const { amount, unit } = length_;
  if (unit === 'm') return `PT${amount}M`;
  if (unit === 'h') return `PT${amount}H`;
  return `P${unit === 'w' ? amount * 7 : amount}D`;
}

function lengthOf(text: string): { amount: number; unit: 'm' | 'h' | 'd' | 'w' } | null {
  const [, amount, unit] = /(\d+) ?([mhdw])/.exec(text) ?? [];
  return unit === undefined ? null : { amount: Number(amount), unit: unit as 'm' };
}

function patternOf(text: string): string | null {
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
  return `${rule};BYMONTHDAY=${on.startsWith('last') ? -1 : Number.parseInt(on, 10)}`;
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

function dateOf(text: string, { now, zone }: Moment): Given | null {
  const today = dayOf(now, zone);
  if (text === 'today') return { day: today };
  if (text === 'tomorrow') return { day: addDays(today, 1) };
  if (text.startsWith('in ')) return later(text, { now, zone });
  const bare = text.replace(/^(on|next) /, '');
  if (new RegExp(`^${day}$`).test(bare)) {
    const wanted = DAYS.indexOf(bare.slice(0, 3).toUpperCase()) + 1;
    const ahead = (wanted - Temporal.PlainDate.from(today).dayOfWeek + 7) % 7;
    return { day: addDays(today, ahead === 0 ? 7 : ahead) };
  }
  if (/^\d{4}-/.test(bare)) return existing(bare);
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(bare);
  if (dotted) return existing([dotted[3], dotted[2]?.padStart(2, '0'), dotted[1]?.padStart(2, '0')].join('-'));
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
function monthAndDay(text: string): string {
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

function existing(text: string): { day: string } | null {
  try {
    return { day: Temporal.PlainDate.from(text, { overflow: 'reject' }).toString() };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function clockOf(text: string): string | null {
  if (text.endsWith('noon')) return '12:00';
  const [, hours, minutes = '00', half] = /(\d{1,2})(?::(\d\d))? ?([ap]m)?$/.exec(text) ?? [];
  const hour = Number(hours);
  if (Number(minutes) > 59 || hour > 23 || (half !== undefined && (hour < 1 || hour > 12))) return null;
  const full = half === undefined ? hour : (hour % 12) + (half === 'pm' ? 12 : 0);
  return `${String(full).padStart(2, '0')}:${minutes}`;
}
