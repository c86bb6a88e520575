/** A recurrence as a person puts it together; `rrule` is text for what the other kinds cannot say (CONTRACT 7). */
export type Rule =
  | { kind: 'never' | 'daily' | 'last' }
  | { kind: 'weekly'; days: string[] }
  | { kind: 'monthly'; day: number | null }
  | { kind: 'custom'; every: number }
  | { kind: 'rrule'; text: string };

export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;

/** A rule that is still to be written. */
export const NO_RULE = 'rrule:';

/** Reads a stored pattern. One of a later grammar is shown as its text, and stays what it is. */
export function ruleOf(pattern: string | null): Rule {
  if (pattern === null) return { kind: 'never' };
  const [frequency = '', options = ''] = pattern.split(/:(.*)/s);
  if (pattern === 'daily:') return { kind: 'daily' };
  if (pattern === 'monthly:last') return { kind: 'last' };
  if (frequency === 'weekly') return { kind: 'weekly', days: options === '' ? [] : options.split(',') };
  if (frequency === 'monthly') return { kind: 'monthly', day: options === '' ? null : Number(options) };
  if (frequency === 'custom') return { kind: 'custom', every: Number.parseInt(options, 10) };
  return { kind: 'rrule', text: frequency === 'rrule' ? options : pattern };
}

/** The pattern that says it. Weekly without days and monthly without one are those of the due date. */
export function patternOf(rule: Rule): string | null {
  switch (rule.kind) {
    case 'never':
      return null;
    case 'daily':
      return 'daily:';
    case 'last':
      return 'monthly:last';
    case 'weekly':
      return `weekly:${WEEKDAYS.filter((day) => rule.days.includes(day)).join(',')}`;
    case 'monthly':
      return `monthly:${rule.day ?? ''}`;
    case 'custom':
      return `custom:${rule.every}d`;
    case 'rrule':
      return `rrule:${rule.text.trim()}`;
  }
}

const shortDays = new Map(WEEKDAYS.map((day) => [day as string, day.slice(0, 1) + day.slice(1).toLowerCase()]));
const ordinal = new Intl.PluralRules('en', { type: 'ordinal' });
const endings: Record<string, string> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

/** A pattern in the few words that a row has room for; the server says it whole. */
export function patternWords(pattern: string): string {
  const rule = ruleOf(pattern);
  switch (rule.kind) {
    case 'daily':
      return 'every day';
    case 'weekly':
      return rule.days.length === 0
        ? 'every week'
        : `every ${rule.days.map((day) => shortDays.get(day) ?? day).join(', ')}`;
    case 'monthly':
      return rule.day === null ? 'every month' : `every month on the ${rule.day}${endings[ordinal.select(rule.day)]}`;
    case 'last':
      return 'every month on the last day';
    case 'custom':
      return `every ${rule.every} days`;
    case 'rrule':
      return rruleWords(rule.text);
    case 'never':
      return '';
  }
}

/** As `patternWords`, with the rule itself where those say too little to tell two apart. */
export function patternText(pattern: string): string {
  const words = patternWords(pattern);
  return words === BY_A_RULE ? pattern.replace(/^rrule:/, '') : words;
}

const BY_A_RULE = 'by a rule';

const units: Record<string, string> = { DAILY: 'day', WEEKLY: 'week', MONTHLY: 'month', YEARLY: 'year' };

/** A rule that a few words say whole: how often, and on which weekdays. Of any other a part would be false. */
function rruleWords(text: string): string {
  const parts = new Map(text.split(';').map((part) => part.split('=') as [string, string]));
  const unit = units[parts.get('FREQ') ?? ''];
  const known = ['FREQ', 'INTERVAL', 'BYDAY', 'WKST'];
  const days = (parts.get('BYDAY') ?? '').split(',').filter(Boolean).map(weekdayOf);
  if (!unit || [...parts.keys()].some((name) => !known.includes(name)) || days.includes(undefined)) return BY_A_RULE;
  const every = Number(parts.get('INTERVAL') ?? 1);
  const often = every === 1 ? `every ${unit}` : `every ${every} ${unit}s`;
  return days.length === 0 ? often : `${often} on ${days.join(', ')}`;
}

const weekdayOf = (short: string): string | undefined =>
  shortDays.get(WEEKDAYS.find((day) => day.startsWith(short) && short.length === 2) ?? '');
