import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { parsePattern } from '#shared/pattern';
import { asRrule, pressedDays } from './as-rrule.ts';

const WEEK = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
const days = fc.date({ min: new Date('2026-01-01'), max: new Date('2030-12-31'), noInvalidDate: true });

test('a rule is written out as the server reads it, whatever its form and its first day', () => {
  const patterns = fc.oneof(
    fc.constantFrom('daily:', 'weekly:', 'monthly:', 'monthly:last', 'rrule:FREQ=MONTHLY;BYDAY=2TU'),
    fc.subarray(WEEK, { minLength: 1 }).map((named) => `weekly:${named}`),
    fc.integer({ min: 1, max: 31 }).map((day) => `monthly:${day}`),
    fc.integer({ min: 1, max: 366 }).map((n) => `custom:${n}d`),
  );
  fc.assert(
    fc.property(patterns, days, (pattern, date) => {
      const day = date.toISOString().slice(0, 10);
      const text = asRrule(pattern, day);
      expect(text).toBe(parsePattern(pattern, day).rrule);
      expect(() => parsePattern(`rrule:${text}`, day)).not.toThrow();
    }),
  );
});

test('what no rule says exactly begins empty', () => {
  expect(asRrule('custom:367d', '2026-11-30')).toBe('');
  expect(asRrule('custom:0d', '2026-11-30')).toBe('');
  expect(asRrule(null, '2026-11-30')).toBe('');
});

test('the weekdays of a rule that names none are those of its first day', () => {
  expect(pressedDays({ kind: 'weekly', days: [] }, '2026-11-30')).toEqual(['MON']);
  expect(pressedDays({ kind: 'weekly', days: ['TUE', 'THU'] }, '2026-11-30')).toEqual(['TUE', 'THU']);
  expect(pressedDays({ kind: 'weekly', days: [] }, '')).toEqual([]);
});
