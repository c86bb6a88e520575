import { expect, test } from 'bun:test';
import { dayHeading } from './words.ts';

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
