import { zone } from '../session.ts';
import { fullTime, reminderWords } from '../words.ts';
import { patternText } from './rule.ts';

/** A value of a task for people, beside the one that it was before. */
export function shown(field: string, value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (value === true) return 'done';
  if (value === false) return 'open';
  const text = String(value);
  if (/^\d{4}-\d\d-\d\d(T|$)/.test(text)) return fullTime(text, zone.value);
  if (field === 'recurrence_pattern') return patternText(text);
  if (field === 'catch_up') return catchUps[text] ?? text;
  return field === 'reminder_offset' ? reminderWords(text) : text;
}

/** Which dates are made that came while nobody could make them. */
export const catchUps: Record<string, string> = {
  latest: 'make only the newest',
  all: 'make those of the last 7 days',
  none: 'make none',
};
