import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { startDates } from '../test/support/arbitraries.ts';
import { daysInMonth } from '../test/support/calendar.ts';
import { FieldError } from './field.ts';
import { isDate, isInstant, readDate, readInstant, readTime } from './time.ts';

const two = (n: number) => String(n).padStart(2, '0');
const message = (read: () => unknown): string => {
  try {
    return `read ${read()}`;
  } catch (error) {
    return error instanceof FieldError ? error.message : String(error);
  }
};

describe('a date', () => {
  test('is a day that the calendar has', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (year, month, day) => {
          const exists = month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
          expect(isDate(`${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`)).toBe(exists);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('comes back as it was given', () => {
    fc.assert(fc.property(startDates(), (date) => expect(readDate(date, 'from')).toBe(date)));
    expect(readTime('2028-02-29', 'from')).toBe('2028-02-29');
  });

  test.each([
    ['2027-02-31', 'from: there is no such day or time'],
    ['0000-01-01', 'from: there is no such day or time'],
    ['2026-12-01T09:00:00Z', 'from: expected a date, as 2026-12-01'],
    ['2026-12-1', 'from: expected a date, as 2026-12-01'],
    ['+012026-12-01', 'from: expected a date, as 2026-12-01'],
    [' 2026-12-01', 'from: expected a date, as 2026-12-01'],
    ['2026-12-01\n', 'from: expected a date, as 2026-12-01'],
    ['', 'from: expected a date, as 2026-12-01'],
    [20261201, 'from: expected a date, as 2026-12-01'],
    [null, 'from: expected a date, as 2026-12-01'],
    [['2026-12-01'], 'from: expected a date, as 2026-12-01'],
  ])('is not %p', (value, refusal) => expect(message(() => readDate(value, 'from'))).toBe(refusal));
});

describe('an instant', () => {
  test.each([
    ['2026-12-01T09:00:00Z', '2026-12-01T09:00:00.000Z'],
    ['2026-12-01t09:00:00.123456789z', '2026-12-01T09:00:00.123Z'],
    ['2026-12-01T09:00+01', '2026-12-01T08:00:00.000Z'],
    ['2026-12-01T09:00:00-0330', '2026-12-01T12:30:00.000Z'],
    ['2026-12-01T00:30:00+14:00', '2026-11-30T10:30:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('is %s', (text, expected) => expect(readInstant(text, 'from').toISOString()).toBe(expected));

  test.each([
    '2026-02-30T09:00:00Z',
    '2026-12-01T24:00:00Z',
    '2026-12-01T09:60:00Z',
    '2016-12-31T23:59:60Z',
    '2026-12-01T09:00:00+24:00',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-14:00',
  ])('is not %s, which does not exist', (text) => {
    expect(message(() => readInstant(text, 'to'))).toBe('to: there is no such day or time');
  });

  test.each([
    '2026-12-01',
    '2026-12-01T09:00:00',
    '2026-12-01 09:00:00Z',
    '2026-12-01 (x)',
    '2026-12-01T09Z',
    '2026-12-01T09:00:00Z[UTC]',
    'Tue, 01 Dec 2026 09:00:00 GMT',
    '1796115600000',
    'now',
  ])('is not %p, of another form', (text) => {
    expect(message(() => readInstant(text, 'to'))).toBe(
      'to: expected an ISO 8601 instant with offset, as 2026-12-01T09:00:00Z',
    );
    expect(isInstant(text)).toBe(false);
  });

  test('is what toISOString writes', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (at) => {
        expect(readInstant(at.toISOString(), 'from')).toEqual(at);
        expect(readTime(at.toISOString(), 'from')).toEqual(at);
      }),
    );
  });
});

describe('an offset whose + was not encoded in a URL', () => {
  const mend = 'the + of the offset came as a blank, as it does from a URL: write %2B, or give the time in Z';

  test.each(['2026-12-01T09:00:00 01:00', '2026-12-01T09:00 0530', '2026-12-01t09:00:00.5 02'])(
    'is seen in %p',
    (text) => {
      for (const read of [readInstant, readTime]) expect(message(() => read(text, 'from'))).toBe(`from: ${mend}`);
      expect(message(() => readDate(text, 'from'))).toBe('from: expected a date, as 2026-12-01');
    },
  );

  test.each([
    '2026-12-01 09:00:00',
    '2026-12-01T09:00:00 25:00',
    '2026-02-30T09:00:00 01:00',
    '2026-12-01T09:00:00 -01:00',
  ])('is not what is wrong with %p', (text) => expect(message(() => readTime(text, 'from'))).not.toContain('%2B'));
});

test('whatever else is sent is refused by its name', () => {
  const anything = fc.oneof(fc.anything(), fc.string(), fc.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d[Z ]$/));
  fc.assert(
    fc.property(anything, (value) => {
      const refusals = [readDate, readInstant, readTime].map((read) => message(() => read(value, 'field')));
      for (const refusal of refusals) expect(refusal).toMatch(/^(read .+|field: .+)$/s);
    }),
  );
});
