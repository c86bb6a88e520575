import fc from 'fast-check';
import { dayNumber, dayText, zoneChanges, zones } from './calendar.ts';

const dayNames = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

/** Each form of CONTRACT 7 but `rrule:`. */
export function patterns(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom('daily:', 'weekly:', 'monthly:', 'monthly:last'),
    fc.subarray(dayNames, { minLength: 1 }).map((days) => `weekly:${days.join(',')}`),
    fc.integer({ min: 1, max: 31 }).map((day) => `monthly:${day}`),
    fc.integer({ min: 1, max: 400 }).map((days) => `custom:${days}d`),
  );
}

/** Any day, and more often the days on which months and leap years tell. */
export function startDates(): fc.Arbitrary<string> {
  const [first, last] = [dayNumber('1996-01-01'), dayNumber('2104-12-31')];
  const telling = fc
    .tuple(
      fc.constantFrom(1999, 2000, 2027, 2028, 2099, 2100),
      fc.constantFrom('01', '02', '03', '12'),
      fc.constantFrom(28, 29, 30, 31),
    )
    .map(([year, month, day]) => dayText(dayNumber(`${year}-${month}-${day}`)));
  return fc.oneof(fc.integer({ min: first, max: last }).map(dayText), telling);
}

/** A zone, a day from five days before to two days after its clocks change, and a time at which they may. */
export function nearChanges(): fc.Arbitrary<{ zone: string; day: number; timeMs: number }> {
  const minutes = fc.oneof(
    fc.constantFrom(0, 15, 30, 90, 105, 120, 135, 150, 165, 1410, 1439),
    fc.integer({ min: 0, max: 1439 }),
  );
  return fc
    .constantFrom(...zones)
    .chain((zone) =>
      fc
        .tuple(fc.constantFrom(...zoneChanges(zone)), fc.integer({ min: -2, max: 5 }), minutes)
        .map(([change, before, minute]) => ({ zone, day: change - before, timeMs: minute * 60_000 })),
    );
}

/** RRULEs of the subset that TaskFlow takes, without COUNT and UNTIL. Some never occur. */
export function rules(): fc.Arbitrary<string> {
  const part = (key: string, values: (string | number)[], maxLength = 3) =>
    fc
      .option(fc.subarray(values, { minLength: 1, maxLength }), { nil: null })
      .map((list) => (list ? `${key}=${list.join(',')}` : null));
  const days = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
  const ordinals = ['MO', 'FR', '1MO', '2TU', '-1FR', '5SU', '-5WE', '+3TH'];
  const months = part('BYMONTH', [1, 2, 3, 6, 11, 12]);
  const monthDays = part('BYMONTHDAY', [1, 13, 15, 28, 29, 30, 31, -1, -2, -31]);
  const interval = (max: number) =>
    fc.option(fc.integer({ min: 1, max }), { nil: null }).map((n) => (n ? `INTERVAL=${n}` : null));
  const weekStart = fc.constantFrom(null, 'WKST=SU', 'WKST=WE');
  const positions = part('BYSETPOS', [1, 2, -1, -5], 2);
  return fc
    .oneof(
      fc.tuple(fc.constant('FREQ=DAILY'), interval(366), months, monthDays, part('BYDAY', days)),
      fc.tuple(fc.constant('FREQ=WEEKLY'), interval(52), months, part('BYDAY', days), weekStart),
      fc.tuple(fc.constant('FREQ=MONTHLY'), interval(24), months, monthDays, part('BYDAY', ordinals)),
      fc.tuple(
        fc.constant('FREQ=MONTHLY'),
        interval(24),
        part('BYDAY', days, 5).map((days) => days ?? 'BYDAY=MO'),
        positions,
      ),
      fc.tuple(
        fc.constant('FREQ=YEARLY'),
        interval(10),
        months.map((list) => list ?? 'BYMONTH=2'),
        monthDays,
        part('BYDAY', ordinals),
      ),
      fc.tuple(fc.constant('FREQ=YEARLY'), interval(10), months, monthDays, part('BYDAY', days)),
    )
    .map((parts) => `rrule:${parts.filter((part) => part !== null).join(';')}`);
}
