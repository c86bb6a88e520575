import type { TaskInput } from '../api.ts';
import { addDays, clockNote, dayOf, instantOf, timeOf } from '../days.ts';
import { date, dateOf, type Given, length, lengthOf, type Moment } from './spoken-days.ts';
import { firstNamed, patternOf, repeats } from './spoken-rules.ts';

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

/** In the order in which they are looked for: what one has taken is no other's. */
const forms: [Kind, string][] = [
  ['until', `until\\s+(?:${date})`],
  ...repeats.map((form): [Kind, string] => ['repeat', form]),
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
 * said at the end is meant for it; `"quoted"` words and parts whose text is in `ignored` stay in the title, which loses only
 * quotes around the whole of it. Nothing that is understood is left out silently: what cannot be kept is a `problem`.
 */
export function readLine(line: string, moment: Moment, ignored: ReadonlySet<string> = new Set()): Understood {
  const parts: Part[] = [];
  const values: { [K in Kind]?: unknown } = {};
  const doubts: string[] = [];
  let isDayDoubted = false;
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
      // A time that was said with a day which is none is not one of today.
      const isLost = kind === 'time' && isDayDoubted && !('date' in values || 'repeat' in values);
      if (value === null || isLost) {
        doubts.push(text);
        isDayDoubted ||= kind === 'date' || kind === 'repeat';
        continue;
      }
      values[kind] = value;
      parts.push(part);
      break;
    }
  }
  parts.sort((a, b) => a.start - b.start);
  const after = (kind: Kind) => rest.slice(parts.find((part) => part.kind === kind)?.end ?? line.length);
  const before = (kind: Kind) => rest.slice(0, parts.find((part) => part.kind === kind)?.start ?? 0);
  const [, more] = /^\s+((?:on|of|in|at) .*?)\u0000*$/s.exec(after('repeat')) ?? [];
  const [, another] = /^\s*,?\s*((?:and|or|&)\s+\d\S*)/i.exec(after('time')) ?? []; // "at 8 and 20"
  const [, earlier] = /((?:^|\s)(?:at\s+)?\d\S*\s+(?:and|or|&)\s+)$/i.exec(before('time')) ?? []; // "8:00 and 20:00"
  const [often] = ('repeat' in values && /\bfor (?:the next )?\d+ (?:time|day|week|month|year)s?\b/i.exec(rest)) || [];
  for (const words of [more, another, earlier, often])
    if (words !== undefined) doubts.push(words.replaceAll(BLOT, '').trim());
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

function titleOf(line: string, parts: Part[]): string {
  let title = '';
  let from = 0;
  for (const { start, end } of parts) {
    title += line.slice(from, start);
    from = end;
  }
  title += line.slice(from);
  return title
    .trim()
    .replace(/^"([^"]*)"$/, '$1')
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
  const due = given?.day ?? (time !== undefined || repeat !== undefined ? firstDay(time, repeat, moment) : undefined);
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
function firstDay(time: string | undefined, repeat: string | undefined, { now, zone }: Moment): string {
  const today = dayOf(now, zone);
  const first = time !== undefined && time <= timeOf(now, zone) ? addDays(today, 1) : today;
  return repeat === undefined ? first : firstNamed(repeat, first);
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

function clockOf(text: string): string | null {
  if (text.endsWith('noon')) return '12:00';
  const [, hours, minutes = '00', half] = /(\d{1,2})(?::(\d\d))? ?([ap]m)?$/.exec(text) ?? [];
  const hour = Number(hours);
  if (Number(minutes) > 59 || hour > 23 || (half !== undefined && (hour < 1 || hour > 12))) return null;
  const full = half === undefined ? hour : (hour % 12) + (half === 'pm' ? 12 : 0);
  return `${String(full).padStart(2, '0')}:${minutes}`;
}
