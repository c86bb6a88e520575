import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { endOfDay, isRepeated, isTimezone, localDate, localTime, startOfDay, toInstant } from './zone.ts';
import { nearChanges } from '../test/support/arbitraries.ts';
import { clock, dayText, zones } from '../test/support/calendar.ts';

describe('isTimezone', () => {
  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Asia/Calcutta', 'Etc/GMT+1', ...zones])(
    'takes %s',
    (name) => expect(isTimezone(name)).toBe(true),
  );
  test.each(['', 'utc', 'europe/berlin', 'Europe/Berlin ', '+02:00', '-0300', 'PST', 'Mars/Olympus', 'Z'])(
    'refuses %p',
    (name) => expect(isTimezone(name)).toBe(false),
  );
});

describe('toInstant', () => {
  test.each([
    ['Europe/Berlin', '2027-03-28', '02:30:00.000', '2027-03-28T01:30:00.000Z', 'in the gap, forward to 03:30'],
    ['Europe/Berlin', '2026-10-25', '02:30:00.000', '2026-10-25T00:30:00.000Z', 'twice, the first'],
    ['Australia/Lord_Howe', '2026-10-04', '02:15:00.000', '2026-10-03T15:45:00.000Z', 'gap of 30 minutes, to 02:45'],
    ['Australia/Lord_Howe', '2027-04-04', '01:45:00.000', '2027-04-03T14:45:00.000Z', 'half an hour twice'],
    ['Antarctica/Troll', '2027-03-28', '01:30:00.000', '2027-03-28T01:30:00.000Z', 'gap of two hours, to 03:30'],
    ['Pacific/Apia', '2011-12-30', '09:00:00.000', '2011-12-30T19:00:00.000Z', 'no such day, to the 31st'],
    ['Asia/Kathmandu', '2026-11-24', '09:00:00.000', '2026-11-24T03:15:00.000Z', 'an offset of 5:45'],
    ['Africa/Cairo', '2026-04-24', '00:30:00.000', '2026-04-23T22:30:00.000Z', 'no midnight, to 01:30'],
    ['America/Nuuk', '2027-03-27', '23:30:00.000', '2027-03-28T01:30:00.000Z', 'to 00:30 of the next day'],
  ])('%s %s %s is %s: %s', (zone, date, time, expected) => {
    expect(toInstant(date, time, zone).toISOString()).toBe(expected);
  });

  test('agrees with a slow oracle in every zone, around every change of its clocks', () => {
    fc.assert(
      fc.property(nearChanges(), fc.integer({ min: 0, max: 86_399_999 }), ({ zone, day }, ms) => {
        const time = new Date(ms).toISOString().slice(11, 23);
        expect(toInstant(dayText(day), time, zone).getTime()).toBe(clock(zone).instant(day, ms).first);
      }),
      { numRuns: 2000 },
    );
  });
});

test('localDate and localTime agree with Intl', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 4e12 }), (zone, ms) => {
      const { day, timeMs } = clock(zone).read(ms);
      expect(localDate(new Date(ms), zone)).toBe(dayText(day));
      expect(localTime(new Date(ms), zone)).toBe(new Date(timeMs).toISOString().slice(11, 23));
    }),
  );
});

test('isRepeated says which times come twice', () => {
  expect(isRepeated('2026-10-25', '02:30:00.000', 'Europe/Berlin')).toBe(true);
  expect(isRepeated('2026-10-25', '03:00:00.000', 'Europe/Berlin')).toBe(false);
  expect(isRepeated('2027-03-28', '02:30:00.000', 'Europe/Berlin')).toBe(false);
  expect(isRepeated('2011-12-30', '09:00:00.000', 'Pacific/Apia')).toBe(false);
  fc.assert(
    fc.property(nearChanges(), fc.integer({ min: 0, max: 86_399_999 }), ({ zone, day }, ms) => {
      const time = new Date(ms).toISOString().slice(11, 23);
      expect(isRepeated(dayText(day), time, zone)).toBe(clock(zone).instant(day, ms).count === 2);
    }),
  );
});

describe('startOfDay', () => {
  test.each([
    ['Europe/Berlin', '2026-12-01', '2026-11-30T23:00:00.000Z', 'an ordinary day'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z', 'a day that begins at 01:00'],
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00.000Z', 'a midnight that comes twice: the first'],
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z', 'the day left out: the start of the next'],
  ])('%s %s is %s: %s', (zone, date, expected) => expect(startOfDay(date, zone).toISOString()).toBe(expected));

  test('is the first millisecond of its day, and follows the end of the day before', () => {
    fc.assert(
      fc.property(nearChanges(), ({ zone, day }) => {
        fc.pre(!(zone === 'Pacific/Apia' && ['2011-12-30', '2011-12-31'].includes(dayText(day))));
        const start = startOfDay(dayText(day), zone).getTime();
        expect(clock(zone).read(start).day).toBe(day);
        expect(start).toBe(endOfDay(dayText(day - 1), zone).getTime() + 1);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('endOfDay', () => {
  test.each([
    ['Europe/Berlin', '2026-12-01', '2026-12-01T22:59:59.999Z', 'an ordinary day'],
    ['America/Nuuk', '2027-03-27', '2027-03-28T00:59:59.999Z', 'a day that ends at 23:00'],
    ['America/Santiago', '2027-04-03', '2027-04-04T03:59:59.999Z', 'a last hour that comes twice'],
    ['Pacific/Apia', '2011-12-29', '2011-12-30T09:59:59.999Z', 'the day before the one left out'],
    ['Pacific/Apia', '2011-12-30', '2011-12-31T09:59:59.999Z', 'the day left out: the end of the next'],
  ])('%s %s is %s: %s', (zone, date, expected) => expect(endOfDay(date, zone).toISOString()).toBe(expected));

  test('is the last millisecond of its day', () => {
    fc.assert(
      fc.property(nearChanges(), ({ zone, day }) => {
        fc.pre(!(zone === 'Pacific/Apia' && dayText(day) === '2011-12-30'));
        const end = endOfDay(dayText(day), zone).getTime();
        expect(clock(zone).read(end).day).toBe(day);
        expect(clock(zone).read(end + 1).day).toBeGreaterThan(day);
      }),
      { numRuns: 1000 },
    );
  });
});
