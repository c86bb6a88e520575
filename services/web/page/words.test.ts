import { expect, test } from 'bun:test';
import { dayHeading, reminderWords, timeWords } from './words.ts';

// A Saturday.
const moment = { now: Date.parse('2026-11-28T11:00:00Z'), zone: 'Europe/Berlin' };

test.each([
  ['2026-11-28', 'Today, 28 Nov'],
  ['2026-11-29', 'Tomorrow, 29 Nov'],
  ['2026-12-04', 'Friday, 4 Dec'],
  ['2026-12-05', 'Saturday, 5 Dec'],
  ['2026-12-07', '7 Dec'],
  ['2027-01-04', '4 Jan 2027'],
])('the heading of %s is "%s"', (day, heading) => expect(dayHeading(day, moment)).toBe(heading));

test.each([
  ['2026-11-28T08:05:00Z', '09:05'],
  ['2026-11-27T22:59:00Z', 'Yesterday 23:59'],
  ['2026-11-27T23:00:00Z', '00:00'],
  ['2026-11-03T11:00:00Z', '3 Nov 12:00'],
  ['2025-12-31T23:30:00Z', '1 Jan 00:30'],
  ['2025-12-31T22:30:00Z', '31 Dec 2025 23:30'],
])('the instant %s is "%s"', (at, words) => expect(timeWords(Date.parse(at), moment)).toBe(words));

test.each([
  ['PT15M', '15 min before'],
  ['P1DT2H', '1 day 2 h before'],
  ['PT0S', 'when due'],
  ['P0D', 'when due'],
])('a reminder %s comes %s', (offset, words) => expect(reminderWords(offset)).toBe(words));
