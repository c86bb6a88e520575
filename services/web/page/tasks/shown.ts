import { zone } from '../session.ts';
import { fullTime, reminderWords } from '../words.ts';

/** A value of a task for people, beside the one that it was before. */
export function shown(field: string, value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (value === true) return 'done';
  if (value === false) return 'open';
  const text = String(value);
  if (/^\d{4}-\d\d-\d\d(T|$)/.test(text)) return fullTime(text, zone.value);
  return field === 'reminder_offset' ? reminderWords(text) : text;
}
