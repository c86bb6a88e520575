import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { nearChanges, patterns, rules, startDates } from '../test/support/arbitraries.ts';
import { clock, dayNumber, dayText } from '../test/support/calendar.ts';
import { walk } from '../test/support/walk.ts';
import { nextOccurrence, occurrencesAfter, parsePattern } from './pattern.ts';
import {
  type CatchUp,
  createAt,
  dueOccurrences,
  endOf,
  firstOccurrence,
  instanceId,
  nextInstanceAt,
  nextOccurrenceAfter,
  occurrenceAt,
  occurrences,
  type Series,
  type SeriesRow,
  seriesOf,
} from './recurrence.ts';
import { PatternError } from './rrule.ts';
import { endOfDay, localDate, startOfDay, toInstant } from './zone.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const plain = {
  due_all_day: false,
  timezone: 'UTC',
  recurrence_end_date: null,
  recurrence_end_day: null,
  exdates: null,
};

describe('the dates of a pattern equal a walk from day to day', () => {
  test('for every form, from any day', () => {
    fc.assert(
      fc.property(patterns(), startDates(), (text, startDate) => {
        const expected = [...walk(text, startDate, 2500).take(30).map(dayText)];
        const pattern = parsePattern(text, startDate);
        expect(occurrencesAfter(pattern, { limit: expected.length })).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('for any rule, of which the walk finds a date within 12 years', () => {
    fc.assert(
      fc.property(rules(), startDates(), fc.integer({ min: 0, max: 4 }), (rule, startDate, skip) => {
        const expected = [...walk(rule, startDate, 4400).take(12).map(dayText)];
        fc.pre(expected.length > skip);
        const pattern = parsePattern(rule, startDate);
        expect(occurrencesAfter(pattern, { limit: expected.length })).toEqual(expected);
        expect(nextOccurrence(pattern, { from: expected[skip] ?? '' })).toBe(expected[skip] ?? '');
        expect(occurrencesAfter(parsePattern(`${rule};COUNT=${skip + 1}`, startDate), { limit: 99 })).toEqual(
          expected.slice(0, skip + 1),
        );
        const until = expected[skip]?.replaceAll('-', '');
        expect(occurrencesAfter(parsePattern(`${rule};UNTIL=${until}`, startDate), { limit: 99 })).toEqual(
          expected.slice(0, skip + 1),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('the last date up to a day', () => {
  const [text, days] = [fc.oneof(patterns(), rules()), fc.integer({ min: 0, max: 4400 })];

  test('is that of a walk from day to day', () => {
    fc.assert(
      fc.property(text, startDates(), days, (text, startDate, length) => {
        const pattern = readOrSkip({
          ...plain,
          recurrence_pattern: text,
          due_date: startOfDay(startDate, 'UTC'),
        }).pattern;
        const date = dayText(dayNumber(startDate) + length);
        expect(pattern.dateTo(date)).toBe([...walk(text, startDate, length + 1)].map(dayText).at(-1) ?? null);
      }),
      { numRuns: 500 },
    );
  });

  test('is among those that COUNT and UNTIL leave', () => {
    fc.assert(
      fc.property(rules(), startDates(), days, fc.integer({ min: 1, max: 30 }), (rule, startDate, length, count) => {
        const expected = [...walk(rule, startDate, 4400).take(count).map(dayText)];
        fc.pre(expected.length === count);
        const date = dayText(dayNumber(startDate) + length);
        const last = expected.findLast((found) => found <= date) ?? null;
        const until = expected.at(-1)?.replaceAll('-', '');
        for (const end of [`COUNT=${count}`, `UNTIL=${until}`])
          expect(parsePattern(`${rule};${end}`, startDate).dateTo(date)).toBe(last);
      }),
      { numRuns: 500 },
    );
  });

  test('is none before the first, and that of the 100th year for ever after', () => {
    const yearly = parsePattern('rrule:FREQ=YEARLY', '2026-11-24');
    expect(yearly.dateTo('2026-11-23')).toBeNull();
    expect(yearly.dateTo('9998-12-31')).toBe('2126-11-24');
    expect(parsePattern('daily:', '9997-01-01').dateTo('9999-12-31')).toBe('9998-12-31');
  });
});

describe('occurrenceAt', () => {
  test('keeps the wall clock in every zone across every change of its clocks', () => {
    fc.assert(
      fc.property(nearChanges(), patterns(), ({ zone, day, timeMs }, text) => {
        const due = new Date(clock(zone).instant(day, timeMs).first);
        const start = clock(zone).read(due.getTime());
        const it = series({ recurrence_pattern: text, due_date: due, timezone: zone });
        const found = occurrences(it, { limit: 8 }).map(({ due_date }) => due_date.getTime());
        const days = [...walk(text, dayText(start.day), 3300).take(8)];
        expect(found.slice(0, days.length)).toEqual(days.map((date) => clock(zone).instant(date, start.timeMs).first));
      }),
      { numRuns: 1500 },
    );
  });

  test('of a date without time is the end of that day', () => {
    const it = series({ due_date: new Date('2026-10-24T21:59:59.999Z'), due_all_day: true, timezone: 'Europe/Berlin' });
    expect(occurrences(it, { limit: 2 })).toEqual([
      { occurrence_date: '2026-10-24', due_date: new Date('2026-10-24T21:59:59.999Z'), note: null },
      { occurrence_date: '2026-10-25', due_date: new Date('2026-10-25T22:59:59.999Z'), note: null },
    ]);
  });
});

describe('occurrences', () => {
  const notes = (timezone: string, date: string, time: string, days = 3) => {
    const it = series({ due_date: toInstant(date, time, timezone), timezone });
    return occurrences(it, { limit: days }).map(({ due_date, note }) =>
      `${due_date.toISOString()} ${note ?? ''}`.trim(),
    );
  };

  test('say where a time does not exist', () => {
    expect(notes('Europe/Berlin', '2027-03-27', '02:30')).toEqual([
      '2027-03-27T01:30:00.000Z',
      '2027-03-28T01:30:00.000Z 02:30 does not exist on 2027-03-28 in Europe/Berlin: moved to 03:30',
      '2027-03-29T00:30:00.000Z',
    ]);
  });

  test('say where a time comes twice', () => {
    expect(notes('Europe/Berlin', '2026-10-24', '02:30:15')).toEqual([
      '2026-10-24T00:30:15.000Z',
      '2026-10-25T00:30:15.000Z 02:30:15 comes twice on 2026-10-25 in Europe/Berlin: the first is taken',
      '2026-10-26T01:30:15.000Z',
    ]);
  });

  test('say where a time moves to another day', () => {
    expect(notes('Pacific/Apia', '2011-12-29', '09:00')).toEqual([
      '2011-12-29T19:00:00.000Z',
      '2011-12-30T19:00:00.000Z 09:00 does not exist on 2011-12-30 in Pacific/Apia: moved to 09:00 on 2011-12-31',
      '2011-12-30T19:00:00.000Z',
    ]);
  });

  test('leave out what is excluded, lie within the span and keep to the limit', () => {
    const it = series({ exdates: ['2026-11-25', '2026-11-27'] });
    const dates = (span: { from?: string; to?: string; limit: number }) =>
      occurrences(it, span).map((o) => o.occurrence_date);
    expect(dates({ limit: 3 })).toEqual(['2026-11-24', '2026-11-26', '2026-11-28']);
    expect(dates({ from: '2026-11-25', to: '2026-11-28', limit: 9 })).toEqual(['2026-11-26', '2026-11-28']);
    expect(dates({ to: '2026-11-23', limit: 9 })).toEqual([]);
    expect(dates({ limit: 0 })).toEqual([]);
  });

  test('end with the last instant, inclusive', () => {
    const ending = (text: string) => occurrences(series({ recurrence_end_date: new Date(text) }), { limit: 9 }).length;
    expect(ending('2026-11-26T09:00:00.000Z')).toBe(3);
    expect(ending('2026-11-26T08:59:59.999Z')).toBe(2);
    expect(ending('2026-11-24T08:59:59.999Z')).toBe(0);
  });
});

describe('an end that is a date', () => {
  /** A series with its end, as the columns hold it. */
  const ending = (day: string, row: Partial<SeriesRow> = {}) => {
    const recurrence_end_date = endOfDay(day, row.timezone ?? 'UTC');
    return series({ ...row, recurrence_end_date, recurrence_end_day: day });
  };
  const offsets = fc.constantFrom(null, 'PT0S', 'P1D', 'P40D');

  test('ends the walk with that date, at any time in any zone', () => {
    fc.assert(
      fc.property(
        nearChanges(),
        patterns(),
        fc.integer({ min: -1, max: 60 }),
        fc.boolean(),
        ({ zone, day, timeMs }, text, length, due_all_day) => {
          const due_date = new Date(clock(zone).instant(day, timeMs).first);
          const start = clock(zone).read(due_date.getTime()).day;
          const last = start + length;
          const it = ending(dayText(last), { recurrence_pattern: text, due_date, due_all_day, timezone: zone });
          const expected = [...walk(text, dayText(start), 61)].filter((date) => date <= last).map(dayText);
          expect(occurrences(it, { limit: 99 }).map(({ occurrence_date }) => occurrence_date)).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('leaves nothing to create after it, and nothing out before it', () => {
    fc.assert(
      fc.property(
        nearChanges(),
        offsets,
        fc.integer({ min: 0, max: 20 }),
        fc.constantFrom('latest', 'all', 'none'),
        ({ zone, day, timeMs }, reminderOffset, length, mode) => {
          const due_date = new Date(clock(zone).instant(day, timeMs).first);
          const last = dayText(clock(zone).read(due_date.getTime()).day + length);
          const it = ending(last, { due_date, timezone: zone });
          const due = (now: Date) => dueOccurrences(it, { after: null, now, reminderOffset, mode });
          for (const now of [new Date(due_date.getTime() - DAY_MS), due_date])
            expect(due(now).create.filter((date) => date > last)).toEqual([]);
          const { create, skipped, advance_past } = due(new Date(due_date.getTime() + 400 * DAY_MS));
          expect([create.length + skipped, advance_past]).toEqual([length + 1, last]);
          expect(nextInstanceAt(it, last, reminderOffset)).toBeNull();
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is an instant again when one stands beside it that ends that day nowhere', () => {
    const row = { recurrence_end_day: '2027-01-06' };
    const end = (text: string) => endOf({ ...row, recurrence_end_date: new Date(text) });
    expect(end('2027-01-06T09:59:59.999Z')).toBe('2027-01-06');
    expect(end('2027-01-07T11:59:59.999Z')).toBe('2027-01-06');
    expect(end('2027-01-06T09:59:59.998Z')).toEqual(new Date('2027-01-06T09:59:59.998Z'));
    expect(end('2027-01-07T12:00:00.000Z')).toEqual(new Date('2027-01-07T12:00:00.000Z'));
    expect(endOf({ ...row, recurrence_end_date: null })).toBeNull();
  });

  test('is known in every zone by the instant beside it', () => {
    fc.assert(
      fc.property(nearChanges(), ({ zone, day }) => {
        const row = { recurrence_end_day: dayText(day), recurrence_end_date: endOfDay(dayText(day), zone) };
        expect(endOf(row)).toBe(dayText(day));
      }),
    );
  });
});

describe('the first and the next occurrence', () => {
  test('begin with the first matching date on or after the local date of the due date', () => {
    const due_date = new Date('2026-11-29T20:00:00Z');
    expect(firstOccurrence(series({ recurrence_pattern: 'weekly:MON', due_date, timezone: 'UTC' }))).toBe('2026-11-30');
    expect(firstOccurrence(series({ recurrence_pattern: 'weekly:', due_date, timezone: 'Asia/Kathmandu' }))).toBe(
      '2026-11-30',
    );
  });

  test('skip excluded dates and stop at the end', () => {
    const it = series({ exdates: ['2026-11-24', '2026-11-26'], recurrence_end_date: new Date('2026-11-27T09:00:00Z') });
    expect(firstOccurrence(it)).toBe('2026-11-25');
    expect(nextOccurrenceAfter(it, '2026-11-25')).toBe('2026-11-27');
    expect(nextOccurrenceAfter(it, '2026-11-27')).toBeNull();
    expect(nextInstanceAt(it, '2026-11-27', null)).toBeNull();
  });

  test('of a row with nothing but a pattern count in UTC', () => {
    const none = { due_all_day: null, timezone: null, recurrence_end_date: null, recurrence_end_day: null };
    const it = seriesOf({
      ...{ ...none, exdates: null, recurrence_pattern: 'monthly:' },
      due_date: new Date('2027-01-31T09:00:00Z'),
    });
    expect(nextOccurrenceAfter(it, '2027-01-31')).toBe('2027-02-28');
    expect(it.timezone).toBe('UTC');
  });
});

describe('an instance is created', () => {
  /** A daily series due at this wall clock of each day; without a time all day. */
  const daily = (timezone: string, time: string | null) => {
    const due_date = time === null ? endOfDay('2026-01-01', timezone) : toInstant('2026-01-01', time, timezone);
    return series({ due_date, due_all_day: time === null, timezone });
  };

  test.each([
    ['without a reminder 24 hours before it is due', '2026-11-24', '09:00', null, '2026-11-23T08:00:00.000Z'],
    ['as early with a reminder', '2026-11-24', '09:00', 'PT23H50M', '2026-11-23T08:00:00.000Z'],
    ['10 minutes before a reminder that comes earlier', '2026-11-24', '09:00', 'PT23H51M', '2026-11-23T07:59:00.000Z'],
    ['so for one of a day', '2026-11-24', '09:00', 'P1D', '2026-11-23T07:50:00.000Z'],
    ['so for one of 40 days', '2026-11-24', '09:00', 'P40D', '2026-10-15T06:50:00.000Z'],
    ['on a day of 25 hours before the reminder of a day', '2026-10-25', '09:00', 'P1D', '2026-10-24T06:50:00.000Z'],
    ['24 hours before it is due there too', '2026-10-25', '09:00', null, '2026-10-24T08:00:00.000Z'],
    ['on a day of 23 hours as well', '2027-03-28', '09:00', 'P1D', '2027-03-27T07:00:00.000Z'],
    ['all day: 24 hours before the end of the day', '2026-11-24', null, null, '2026-11-23T22:59:59.999Z'],
    ['all day: as early for 09:00 of that day', '2026-11-24', null, 'PT0S', '2026-11-23T22:59:59.999Z'],
    ['all day: as early for 00:10', '2026-11-24', null, 'PT8H50M', '2026-11-23T22:59:59.999Z'],
    ['all day: 10 minutes before 00:09', '2026-11-24', null, 'PT8H51M', '2026-11-23T22:59:00.000Z'],
    ['all day: at 08:50 of the day before', '2026-11-24', null, 'P1D', '2026-11-23T07:50:00.000Z'],
    ['all day of 25 hours: 24 hours before its end', '2026-10-25', null, null, '2026-10-24T22:59:59.999Z'],
    ['all day of 25 hours: at 08:50 of the day before', '2026-10-25', null, 'P1D', '2026-10-24T06:50:00.000Z'],
  ])('%s', (_when, date, time, offset, expected) => {
    const it = daily('Europe/Berlin', time);
    expect(createAt(it, date, offset).toISOString()).toBe(expected);
    const after = dayText(dayNumber(date) - 1);
    expect(nextInstanceAt(it, after, offset)?.toISOString()).toBe(expected);
    const created = (now: Date) => dueOccurrences(it, { after, now, reminderOffset: offset, mode: 'none' }).create;
    const at = createAt(it, date, offset).getTime();
    expect([created(new Date(at - 1)), created(new Date(at))]).toEqual([[], [date]]);
  });

  test('24 hours before it is due, or 10 minutes before its reminder, whichever is earlier, in every zone', () => {
    const days = fc.constantFrom(0, 1, 2, 40);
    const hours = fc.constantFrom(0, 1, 8, 9, 23, 24);
    fc.assert(
      fc.property(nearChanges(), days, hours, fc.boolean(), ({ zone, day, timeMs }, days, hours, due_all_day) => {
        const { first: due } = clock(zone).instant(day, timeMs);
        const { day: dueDay, timeMs: dueMs } = clock(zone).read(due);
        const it = series({ due_date: new Date(due), timezone: zone, due_all_day });
        const from = due_all_day ? clock(zone).instant(dueDay, 9 * HOUR_MS).first : due;
        const { timeMs: fromMs } = clock(zone).read(from);
        const reminder = (days === 0 ? from : clock(zone).instant(dueDay - days, fromMs).first) - hours * HOUR_MS;
        const dueAt = due_all_day
          ? endOfDay(dayText(dueDay), zone).getTime()
          : clock(zone).instant(dueDay, dueMs).first;
        expect(createAt(it, dayText(dueDay), `P${days}DT${hours}H`).getTime()).toBe(
          Math.min(dueAt - DAY_MS, reminder - 600_000),
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('catch_up', () => {
  const missed = ['2026-11-10', '2026-11-16', '2026-11-17', '2026-11-20', '2026-11-23'];
  const now = new Date('2026-11-24T12:00:00Z');
  /** A series of these dates, the first of which was handled. */
  const due = (mode: CatchUp, timezone = 'UTC') => {
    const it = series({
      recurrence_pattern: 'rrule:FREQ=DAILY;UNTIL=20261123',
      due_date: toInstant('2026-11-09', '09:00', timezone),
      timezone,
      exdates: Array.from({ length: 14 }, (_, i) => `2026-11-${10 + i}`).filter((date) => !missed.includes(date)),
    });
    return dueOccurrences(it, { after: '2026-11-09', now, reminderOffset: null, mode });
  };

  test('latest takes the newest missed date only', () => {
    expect(due('latest')).toEqual({ create: ['2026-11-23'], skipped: 4, advance_past: '2026-11-23' });
  });
  test('all takes those of the last 7 days, in the zone', () => {
    expect(due('all')).toMatchObject({ create: missed.slice(2), skipped: 2 });
    expect(due('all', 'Pacific/Kiritimati')).toMatchObject({ create: missed.slice(3), skipped: 3 });
  });
  test('none takes none', () => {
    expect(due('none')).toEqual({ create: [], skipped: 5, advance_past: '2026-11-23' });
  });
});

describe('dueOccurrences', () => {
  const now = new Date('2026-12-24T10:00:00Z');
  const due = (mode: 'latest' | 'all' | 'none', after: string | null, at = now) =>
    dueOccurrences(series({}), { after, now: at, reminderOffset: null, mode });

  test('of a series in time are the dates within the horizon', () => {
    expect(due('latest', '2026-12-24')).toEqual({ create: ['2026-12-25'], skipped: 0, advance_past: '2026-12-25' });
    expect(due('none', '2026-12-24')).toEqual({ create: ['2026-12-25'], skipped: 0, advance_past: '2026-12-25' });
    expect(due('latest', '2026-12-25')).toEqual({ create: [], skipped: 0, advance_past: null });
  });

  test('after a month of downtime are chosen by catch_up', () => {
    expect(due('latest', null)).toEqual({
      create: ['2026-12-24', '2026-12-25'],
      skipped: 30,
      advance_past: '2026-12-25',
    });
    expect(due('none', null)).toEqual({ create: ['2026-12-25'], skipped: 31, advance_past: '2026-12-25' });
    expect(due('all', null)).toMatchObject({ skipped: 23, advance_past: '2026-12-25' });
    expect(due('all', null).create).toHaveLength(9);
  });

  test('move the cursor also when nothing is to be created', () => {
    const it = series({ recurrence_end_date: new Date('2026-12-01T09:00:00Z') });
    expect(dueOccurrences(it, { after: null, now, reminderOffset: null, mode: 'none' })).toEqual({
      create: [],
      skipped: 8,
      advance_past: '2026-12-01',
    });
  });

  test('of a series with a year of notice come 10 at a look, and 53 lie ahead at most', () => {
    const it = series({});
    const notice = 'P365D';
    const looks: string[][] = [];
    let after = '2026-12-24';
    for (let at = nextInstanceAt(it, after, notice); at && at <= now; at = nextInstanceAt(it, after, notice)) {
      looks.push(dueOccurrences(it, { after, now, reminderOffset: notice, mode: 'latest' }).create);
      after = looks.at(-1)?.at(-1) ?? '';
    }
    expect(looks.map(({ length }) => length)).toEqual([10, 10, 10, 10, 10, 3]);
    expect(looks.flat()).toEqual(Array.from({ length: 53 }, (_, i) => dayText(dayNumber('2026-12-25') + i)));
    expect(nextInstanceAt(it, after, notice)).toEqual(new Date('2026-12-25T09:00:00Z')); // as the next one is due
  });

  test('of a weekly series with a year of notice lie a year ahead', () => {
    const it = series({ recurrence_pattern: 'weekly:' });
    expect(createAt(it, '2028-01-04', 'P365D')).toEqual(new Date('2027-01-04T08:50:00Z'));
  });

  const modes = fc.constantFrom<CatchUp>('latest', 'all', 'none');
  /** A series of any pattern with any end, and what is excluded. */
  const anySeries = () =>
    fc
      .tuple(
        fc.oneof(
          patterns(),
          rules(),
          rules().map((rule) => `${rule};COUNT=7`),
        ),
        nearChanges(),
        fc.boolean(),
        fc.option(fc.integer({ min: 0, max: 400 })),
        fc.boolean(),
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 5 }),
      )
      .map(([recurrence_pattern, { zone, day, timeMs }, due_all_day, length, isDay, excluded]) => {
        const due_date = new Date(clock(zone).instant(day, timeMs).first);
        const start = clock(zone).read(due_date.getTime()).day;
        const last = length === null ? null : dayText(start + length);
        return {
          recurrence_pattern,
          due_date,
          due_all_day,
          timezone: zone,
          recurrence_end_date: last === null ? null : endOfDay(last, zone),
          recurrence_end_day: isDay ? last : null,
          exdates: excluded.map((days) => dayText(start + days)),
        };
      });

  test('are those of all dates since the last one handled, one by one', () => {
    fc.assert(
      fc.property(anySeries(), modes, fc.nat(500), fc.nat(40), (row, mode, daysLater, handled) => {
        const it = readOrSkip(row);
        const now = new Date(row.due_date.getTime() + daysLater * DAY_MS);
        const dates = occurrences(it, { limit: 600 }).map(({ occurrence_date }) => occurrence_date);
        const after = dates[handled - 1] ?? null;
        const open = dates.filter((date) => date > (after ?? '') && createAt(it, date, 'PT1H') <= now);
        const missed = open.filter((date) => occurrenceAt(it, date) < now);
        const weekAgo = dayText(dayNumber(localDate(now, it.timezone)) - 7);
        const kept = { latest: missed.slice(-1), all: missed.filter((date) => date >= weekAgo), none: [] }[mode];
        expect(dueOccurrences(it, { after, now, reminderOffset: 'PT1H', mode })).toEqual({
          create: [...kept, ...open.slice(missed.length)],
          skipped: Math.min(missed.length - kept.length, 100),
          advance_past: open.at(-1) ?? null,
        });
      }),
      { numRuns: 1000 },
    );
  }, 60_000);

  test.each(['latest', 'all', 'none'] as const)(
    'of a series begun in 1970 take no more searches than of one of last year, by catch_up %s',
    (mode) => {
      const searches = (year: number) => {
        const it = counting(series({ due_date: new Date(`${year}-06-01T09:00:00Z`) }));
        const found = dueOccurrences(it.series, { after: null, now, reminderOffset: null, mode });
        expect(found).toMatchObject({ skipped: 100, advance_past: '2026-12-25' });
        return it.searches();
      };
      expect(searches(1970)).toBe(searches(2025));
      expect(searches(1970)).toBeLessThan(120);
    },
  );

  test('of a series that ended long ago are found at its end', () => {
    const end = { recurrence_end_date: new Date('1970-03-01T09:00:00Z') };
    const it = counting(series({ due_date: new Date('1970-01-01T09:00:00Z'), ...end }));
    const found = dueOccurrences(it.series, { after: '1970-02-26', now, reminderOffset: null, mode: 'latest' });
    expect(found).toEqual({ create: ['1970-03-01'], skipped: 2, advance_past: '1970-03-01' });
    expect(it.searches()).toBeLessThan(10);
  });

  test('account for each date once, however often the processor looks', () => {
    const looks = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        patterns(),
        nearChanges(),
        looks,
        fc.constantFrom('latest', 'all', 'none'),
        (text, near, hours, mode) => {
          const due_date = new Date(clock(near.zone).instant(near.day, near.timeMs).first);
          const it = series({ recurrence_pattern: text, due_date, timezone: near.zone });
          let [after, at, handled, created]: [string | null, number, number, string[]] = [
            null,
            due_date.getTime() - 2 * DAY_MS,
            0,
            [],
          ];
          for (const step of hours) {
            at += step * 3_600_000;
            const found = dueOccurrences(it, { after, now: new Date(at), reminderOffset: 'PT1H', mode });
            handled += found.create.length + found.skipped;
            created = [...created, ...found.create];
            after = found.advance_past ?? after;
            const nextLook = nextInstanceAt(it, after, 'PT1H');
            expect(nextLook === null || nextLook.getTime() > at).toBe(true);
          }
          const dates = after === null ? [] : occurrencesAfter(it.pattern, { until: after, limit: 9999 });
          expect(handled).toBe(dates.length);
          expect(created).toEqual(dates.filter((date) => created.includes(date)));
        },
      ),
      { numRuns: 300 },
    );
  });
});

test('instanceId is the same for ever, and another for another date or series', () => {
  const id = '01a21026-2a84-72d7-8a66-f892a1c8685e';
  expect(instanceId(id, '2026-11-24')).toMatchInlineSnapshot(`"3aa95536-f20d-52fd-86bd-b051ca1e5f8b"`);
  expect(instanceId(id.toUpperCase(), '2026-11-24')).toBe(instanceId(id, '2026-11-24'));
  expect(instanceId(id, '2026-11-25')).not.toBe(instanceId(id, '2026-11-24'));
  expect(instanceId(id.replace('0', '1'), '2026-11-24')).not.toBe(instanceId(id, '2026-11-24'));
});

/** A series of an RRULE that may never occur: those are of no interest. */
function readOrSkip(row: SeriesRow): Series {
  try {
    return seriesOf(row);
  } catch (error) {
    fc.pre(!(error instanceof PatternError));
    throw error;
  }
}

/** The series, and how often its dates were sought. */
function counting(it: Series): { series: Series; searches: () => number } {
  let searches = 0;
  const { dateFrom, dateTo } = it.pattern;
  const pattern = {
    ...it.pattern,
    dateFrom: (date: string) => (searches++, dateFrom(date)),
    dateTo: (date: string) => (searches++, dateTo(date)),
  };
  return { series: { ...it, pattern }, searches: () => searches };
}

function series(row: Partial<SeriesRow>): Series {
  return seriesOf({ recurrence_pattern: 'daily:', due_date: new Date('2026-11-24T09:00:00Z'), ...plain, ...row });
}
