import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { nearChanges } from '../test/support/arbitraries.ts';
import { clock, dayText } from '../test/support/calendar.ts';
import { dueAt, formatDueDate, parseDueDate, parseOffset, type Reminding, subtractOffset, triggerAt } from './due.ts';
import { FieldError } from './field.ts';

describe('parseDueDate', () => {
  test.each([
    ['2026-12-01T09:00:00Z', '2026-12-01T09:00:00.000Z'],
    ['2026-12-01T09:00:00+01:00', '2026-12-01T08:00:00.000Z'],
    ['2026-12-01T09:00-0330', '2026-12-01T12:30:00.000Z'],
    ['2026-12-01T09:00:00+02', '2026-12-01T07:00:00.000Z'],
    ['2026-12-01t09:00:00.123456z', '2026-12-01T09:00:00.123Z'],
  ])('reads the instant %s', (text, expected) => {
    const due = parseDueDate(text, 'Europe/Berlin');
    expect(due).toEqual({ due_date: new Date(expected), due_all_day: false });
    expect(formatDueDate(due, 'Europe/Berlin')).toBe(expected);
  });

  test('reads a date as the end of that day in the zone', () => {
    expect(parseDueDate('2026-12-01', 'UTC')).toEqual({
      due_date: new Date('2026-12-01T23:59:59.999Z'),
      due_all_day: true,
    });
    expect(parseDueDate('2026-12-01', 'Asia/Kathmandu').due_date.toISOString()).toBe('2026-12-01T18:14:59.999Z');
  });

  test.each(['Etc/GMT+12', 'Pacific/Kiritimati'])('reads the first and the last date there is in %s', (zone) => {
    for (const date of ['1970-01-01', '9998-12-31']) expect(formatDueDate(parseDueDate(date, zone), zone)).toBe(date);
    for (const date of ['1969-12-31', '9999-01-01']) expect(fieldOf(() => parseDueDate(date, zone))).toBe('due_date');
  });

  test('gives a date back in the form given, in every zone', () => {
    fc.assert(
      fc.property(nearChanges(), ({ zone, day }) => {
        fc.pre(!(zone === 'Pacific/Apia' && dayText(day) === '2011-12-30'));
        expect(formatDueDate(parseDueDate(dayText(day), zone), zone)).toBe(dayText(day));
      }),
    );
  });

  test.each([
    '',
    'tomorrow',
    '2026-12-01T09:00:00',
    '2026-12-01 09:00:00Z',
    '2026-12-01T09Z',
    '2026-02-29',
    '2026-13-01',
    '2026-12-32T09:00:00Z',
    '2026-12-01T24:00:00Z',
    '2026-12-01T09:60:00Z',
    '2026-12-01T09:00:00+25:00',
    '2026-12-01T09:00:00Z[Europe/Berlin]',
    '20261201',
    '26-12-01',
    '1969-12-31',
    '9999-01-01T00:00:00Z',
    '+012026-12-01',
  ])('refuses %p', (text) => expect(fieldOf(() => parseDueDate(text, 'UTC'))).toBe('due_date'));

  test('names the field it was asked to read', () => {
    expect(() => parseDueDate('soon', 'UTC', 'recurrence_end_date')).toThrow(
      /^recurrence_end_date: expected an ISO 8601 instant/,
    );
  });
});

describe('parseOffset', () => {
  test.each([
    ['1 day', 'P1D'],
    ['2 hours', 'PT2H'],
    ['90 minutes', 'PT1H30M'],
    ['1 minute', 'PT1M'],
    ['0 days', 'PT0S'],
    ['365 days', 'P365D'],
    ['8760 hours', 'PT8760H'],
    ['P1D', 'P1D'],
    ['PT2H', 'PT2H'],
    ['PT90M', 'PT1H30M'],
    ['P1W', 'P7D'],
    ['P1DT2H30M', 'P1DT2H30M'],
    ['PT25H', 'PT25H'],
    ['PT30S', 'PT30S'],
    ['PT0S', 'PT0S'],
  ])('reads %p as %s', (text, expected) => {
    expect(parseOffset(text)).toBe(expected);
    expect(parseOffset(expected)).toBe(expected);
  });

  test.each([
    '',
    '1',
    'day',
    '1day',
    '1  day',
    ' 1 day',
    '-1 day',
    '1.5 days',
    '1 fortnight',
    '1 month',
    '1 week',
    'P',
    'PT',
    'P1DT',
    'P1M',
    'P1Y',
    '-P1D',
    'P1.5D',
    'p1d',
    'PT1H1H',
    '366 days',
    '8761 hours',
    'P365DT1S',
    'PT9999999999H',
  ])('refuses %p', (text) => expect(fieldOf(() => parseOffset(text))).toBe('reminder_offset'));
});

describe('subtractOffset', () => {
  test('a day before 09:00 is 09:00 when the clocks change in between', () => {
    const due = new Date('2027-03-28T07:00:00Z');
    expect(subtractOffset(due, 'P1D', 'Europe/Berlin').toISOString()).toBe('2027-03-27T08:00:00.000Z');
    expect(subtractOffset(due, 'PT24H', 'Europe/Berlin').toISOString()).toBe('2027-03-27T07:00:00.000Z');
    expect(subtractOffset(due, 'P1DT2H', 'Europe/Berlin').toISOString()).toBe('2027-03-27T06:00:00.000Z');
  });

  test('keeps the wall clock in every zone', () => {
    fc.assert(
      fc.property(
        nearChanges(),
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 365 }),
        ({ zone, day }, minute, days) => {
          const due = clock(zone).instant(day, minute * 60_000).first;
          const { day: dueDay, timeMs } = clock(zone).read(due);
          const expected = days === 0 ? due : clock(zone).instant(dueDay - days, timeMs).first;
          expect(subtractOffset(new Date(due), `P${days}D`, zone).getTime()).toBe(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('triggerAt', () => {
  test('is the due date less the offset', () => expect(trigger({})).toBe('2026-11-24T07:00:00.000Z'));
  test('is snoozed_until while there is one', () => {
    expect(trigger({ snoozed_until: new Date('2026-11-24T10:00:00Z') })).toBe('2026-11-24T10:00:00.000Z');
    expect(trigger({ snoozed_until: '2026-11-24T10:00:00Z', due_date: null, reminder_offset: null })).toBe(
      '2026-11-24T10:00:00.000Z',
    );
  });
  test('is null without an offset or a due date', () => {
    expect(trigger({ reminder_offset: null })).toBeUndefined();
    expect(trigger({ due_date: null })).toBeUndefined();
  });
  test('of a date without time counts from 09:00 of that day', () => {
    const allDay = { due_all_day: true, timezone: 'Europe/Berlin', due_date: new Date('2027-03-28T21:59:59.999Z') };
    expect(trigger({ ...allDay, reminder_offset: 'PT0S' })).toBe('2027-03-28T07:00:00.000Z');
    expect(trigger({ ...allDay, reminder_offset: 'P1D' })).toBe('2027-03-27T08:00:00.000Z');
  });
  test('is the same from the columns of a task and from its event', () => {
    const column = {
      due_all_day: true,
      timezone: 'America/Nuuk',
      due_date: parseDueDate('2027-03-27', 'America/Nuuk').due_date,
    };
    expect(trigger({ ...column, due_date: '2027-03-27' })).toBe(trigger(column) ?? '');
    expect(trigger({ due_date: '2026-11-24T09:00:00.000Z' })).toBe(trigger({}) ?? '');
  });
});

test('dueAt is the end of the day of a date, the instant of an instant, or null', () => {
  expect(dueAt({ due_date: '2026-12-01', timezone: 'Asia/Kathmandu' })?.toISOString()).toBe('2026-12-01T18:14:59.999Z');
  expect(dueAt({ due_date: '2026-12-01', timezone: null })?.toISOString()).toBe('2026-12-01T23:59:59.999Z');
  expect(dueAt({ due_date: new Date(0), timezone: null })).toEqual(new Date(0));
  expect(dueAt({ due_date: null, timezone: null })).toBeNull();
});

function trigger(task: Partial<Reminding>): string | undefined {
  const due_date = new Date('2026-11-24T09:00:00Z');
  const whole = {
    due_date,
    due_all_day: false,
    timezone: 'UTC',
    reminder_offset: 'PT2H',
    snoozed_until: null,
    ...task,
  };
  return triggerAt(whole)?.toISOString();
}

function fieldOf(parse: () => unknown): string | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    expect(error.message).toStartWith(`${error.field}: `);
    return error.field;
  }
}
