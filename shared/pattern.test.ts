import { describe as about, expect, test } from 'bun:test';
import { describe, nextOccurrence, occurrencesAfter, parsePattern } from './pattern.ts';
import { PatternError } from './rrule.ts';

const dates = (text: string, startDate: string, limit = 5) =>
  occurrencesAfter(parsePattern(text, startDate), { limit }).join(' ');

about('golden dates', () => {
  // Written down by hand from a calendar: a change of the engine must not move one of them.
  test.each([
    ['daily:', '2026-11-24', '2026-11-24 2026-11-25 2026-11-26 2026-11-27 2026-11-28'],
    ['daily:', '2028-02-27', '2028-02-27 2028-02-28 2028-02-29 2028-03-01 2028-03-02'],
    ['weekly:', '2026-11-24', '2026-11-24 2026-12-01 2026-12-08 2026-12-15 2026-12-22'],
    ['weekly:MON,WED,FRI', '2026-11-24', '2026-11-25 2026-11-27 2026-11-30 2026-12-02 2026-12-04'],
    ['weekly:SUN,MON', '2026-12-27', '2026-12-27 2026-12-28 2027-01-03 2027-01-04 2027-01-10'],
    ['monthly:', '2027-01-31', '2027-01-31 2027-02-28 2027-03-31 2027-04-30 2027-05-31'],
    ['monthly:', '2028-01-30', '2028-01-30 2028-02-29 2028-03-30 2028-04-30 2028-05-30'],
    ['monthly:', '2027-01-29', '2027-01-29 2027-02-28 2027-03-29 2027-04-29 2027-05-29'],
    ['monthly:', '2027-02-28', '2027-02-28 2027-03-28 2027-04-28 2027-05-28 2027-06-28'],
    ['monthly:1', '2026-11-24', '2026-12-01 2027-01-01 2027-02-01 2027-03-01 2027-04-01'],
    ['monthly:15', '2026-11-24', '2026-12-15 2027-01-15 2027-02-15 2027-03-15 2027-04-15'],
    ['monthly:28', '2027-02-01', '2027-02-28 2027-03-28 2027-04-28 2027-05-28 2027-06-28'],
    ['monthly:29', '2028-02-01', '2028-02-29 2028-03-29 2028-04-29 2028-05-29 2028-06-29'],
    ['monthly:30', '2027-02-01', '2027-02-28 2027-03-30 2027-04-30 2027-05-30 2027-06-30'],
    ['monthly:31', '2026-11-24', '2026-11-30 2026-12-31 2027-01-31 2027-02-28 2027-03-31'],
    ['monthly:31', '2100-02-01', '2100-02-28 2100-03-31 2100-04-30 2100-05-31 2100-06-30'],
    ['monthly:last', '2028-01-31', '2028-01-31 2028-02-29 2028-03-31 2028-04-30 2028-05-31'],
    ['custom:1d', '2026-12-30', '2026-12-30 2026-12-31 2027-01-01 2027-01-02 2027-01-03'],
    ['custom:3d', '2027-01-01', '2027-01-01 2027-01-04 2027-01-07 2027-01-10 2027-01-13'],
    ['custom:3650d', '2026-11-24', '2026-11-24 2036-11-21 2046-11-19 2056-11-16 2066-11-14'],
    ['rrule:FREQ=MONTHLY;BYDAY=-1FR', '2026-11-24', '2026-11-27 2026-12-25 2027-01-29 2027-02-26 2027-03-26'],
    ['rrule:FREQ=MONTHLY;BYDAY=2TU', '2026-11-24', '2026-12-08 2027-01-12 2027-02-09 2027-03-09 2027-04-13'],
    [
      'rrule:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      '2027-01-01',
      '2027-01-29 2027-02-26 2027-03-31 2027-04-30 2027-05-31',
    ],
    ['rrule:FREQ=MONTHLY', '2027-01-31', '2027-01-31 2027-03-31 2027-05-31 2027-07-31 2027-08-31'],
    [
      'rrule:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29',
      '2026-11-24',
      '2028-02-29 2032-02-29 2036-02-29 2040-02-29 2044-02-29',
    ],
    ['rrule:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH', '2026-11-24', '2026-11-26 2027-11-25 2028-11-23 2029-11-22 2030-11-28'],
    [
      'rrule:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO',
      '1997-08-05',
      '1997-08-05 1997-08-10 1997-08-19 1997-08-24 1997-09-02',
    ],
    [
      'rrule:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU',
      '1997-08-05',
      '1997-08-05 1997-08-17 1997-08-19 1997-08-31 1997-09-02',
    ],
    [
      'rrule:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU',
      '1997-08-05',
      '1997-08-05 1997-08-10 1997-08-19 1997-08-24 1997-09-02',
    ],
    ['rrule:FREQ=DAILY;COUNT=3', '2026-11-24', '2026-11-24 2026-11-25 2026-11-26'],
    ['rrule:COUNT=2;FREQ=WEEKLY;BYDAY=MO', '2026-11-24', '2026-11-30 2026-12-07'],
    ['rrule:FREQ=DAILY;UNTIL=20261126', '2026-11-24', '2026-11-24 2026-11-25 2026-11-26'],
    [
      'rrule:FREQ=DAILY;BYMONTH=12;BYMONTHDAY=25;BYDAY=MO',
      '2090-12-26',
      '2102-12-25 2113-12-25 2119-12-25 2124-12-25 2130-12-25',
    ],
  ])('%s from %s', (text, startDate, expected) => expect(dates(text, startDate)).toBe(expected));

  test('a count of rare dates does not break off', () => {
    expect(dates('rrule:FREQ=MONTHLY;BYMONTH=12;BYMONTHDAY=25;BYDAY=MO;COUNT=3', '2026-11-24')).toBe(
      '2028-12-25 2034-12-25 2045-12-25',
    );
  });

  test('nothing comes after the 100th year', () => {
    expect(dates('rrule:FREQ=YEARLY', '2026-11-24', 200).slice(-10)).toBe('2126-11-24');
    const daily = parsePattern('daily:', '2026-11-24');
    expect(nextOccurrence(daily, { from: '2126-12-31' })).toBe('2126-12-31');
    expect(nextOccurrence(daily, { after: '2126-12-31' })).toBeNull();
  });

  test('nothing comes after the last year of four digits', () => {
    expect(dates('rrule:FREQ=YEARLY', '9996-03-01')).toBe('9996-03-01 9997-03-01 9998-03-01');
    expect(dates('custom:3650d', '9990-03-01')).toBe('9990-03-01');
    const until = { until: '9999-12-31', limit: 9 };
    expect(occurrencesAfter(parsePattern('rrule:FREQ=YEARLY', '9997-03-01'), until)).toEqual([
      '9997-03-01',
      '9998-03-01',
    ]);
  });
});

about('a span', () => {
  const pattern = parsePattern('custom:2d', '2026-11-24');

  test('is exclusive at after, inclusive at from and until', () => {
    expect(occurrencesAfter(pattern, { after: '2026-11-24', until: '2026-11-28', limit: 9 })).toEqual([
      '2026-11-26',
      '2026-11-28',
    ]);
    expect(occurrencesAfter(pattern, { from: '2026-11-26', until: '2026-11-27', limit: 9 })).toEqual(['2026-11-26']);
    expect(occurrencesAfter(pattern, { from: '2026-11-25', after: '2026-11-26', limit: 1 })).toEqual(['2026-11-28']);
  });

  test('never begins before the start', () => {
    expect(nextOccurrence(pattern, { from: '2020-01-01' })).toBe('2026-11-24');
    expect(nextOccurrence(pattern, { after: null })).toBe('2026-11-24');
  });

  test('may be empty', () => {
    expect(occurrencesAfter(pattern, { limit: 0 })).toEqual([]);
    expect(nextOccurrence(pattern, { from: '2026-11-25', until: '2026-11-25' })).toBeNull();
    expect(nextOccurrence(parsePattern('rrule:FREQ=DAILY;COUNT=2', '2026-11-24'), { after: '2026-11-25' })).toBeNull();
  });
});

test('a pattern is read once, also when many tasks have it', () => {
  const first = parsePattern('daily:', '2026-11-24');
  expect(parsePattern('daily:', '2026-11-24')).toBe(first);
  for (let day = 1; day <= 1000; day++) parsePattern(`custom:${day}d`, '2026-11-24');
  expect(parsePattern('daily:', '2026-11-24')).not.toBe(first);
});

test('looks for no more dates than are asked for', () => {
  const pattern = parsePattern('daily:', '2026-11-24');
  let searches = 0;
  const counting = { ...pattern, dateFrom: (date: string) => (searches++, pattern.dateFrom(date)) };
  occurrencesAfter(counting, { limit: 3 });
  expect(searches).toBe(3);
});

about('a refusal names the part', () => {
  test.each([
    ['', 'pattern'],
    ['daily', 'daily'],
    ['hourly:', 'hourly'],
    ['toString:', 'toString'],
    ['Daily:', 'Daily'],
    [' daily:', ' daily'],
    ['daily:3', '3'],
    ['daily: ', ' '],
    ['weekly:MON,MON', 'MON'],
    ['weekly:MON,FOO', 'FOO'],
    ['weekly:mon', 'mon'],
    ['weekly:MO', 'MO'],
    ['weekly:MON,', 'weekly:'],
    ['weekly:MON, WED', ' WED'],
    ['monthly:0', '0'],
    ['monthly:32', '32'],
    ['monthly:05', '05'],
    ['monthly:-1', '-1'],
    ['monthly:2TUE', '2TUE'],
    ['monthly:LAST', 'LAST'],
    ['custom:', 'custom:'],
    ['custom:0d', '0d'],
    ['custom:3651d', '3651d'],
    ['custom:2w', '2w'],
    ['custom:3', '3'],
    ['custom:3D', '3D'],
    ['custom:03d', '03d'],
    ['custom:1.5d', '1.5d'],
    ['rrule:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', 'rrule:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30'],
    ['rrule:FREQ=DAILY;UNTIL=20261123', 'rrule:FREQ=DAILY;UNTIL=20261123'],
    ['rrule:FREQ=HOURLY', 'FREQ=HOURLY'],
    // On the calendar, but so rarely that looking for the next one would hold up the service: 2044, 2072, 2112.
    ['rrule:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO', 'rrule:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO'],
    ['rrule:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO', 'rrule:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO'],
  ])('%p: %p', (text, part) => {
    const error = refusal(text);
    expect(error).toBeInstanceOf(PatternError);
    expect(error).toMatchObject({ part, field: 'recurrence_pattern', code: 'INVALID_PATTERN' });
    expect(error?.message).toContain(part.slice(0, 40));
  });
});

about('in words', () => {
  test.each([
    ['daily:', 'every day'],
    ['custom:3d', 'every 3 days'],
    ['weekly:MON,WED', 'every week on Monday and Wednesday'],
    ['weekly:', 'every week on Tuesday'],
    ['monthly:15', 'every month on the 15th day of the month'],
    ['monthly:31', 'every month on the 31st day of the month, or the last day of a shorter month'],
    ['monthly:29', 'every month on the 29th day of the month, or the last day of a shorter month'],
    ['monthly:last', 'every month on the last day of the month'],
    ['rrule:FREQ=MONTHLY;BYDAY=2TU;COUNT=5', 'every month on 2nd Tuesday for 5 times'],
  ])('%s: %s', (text, words) => expect(describe(parsePattern(text, '2026-11-24'))).toBe(words));
});

function refusal(text: string): PatternError | null {
  try {
    parsePattern(text, '2026-11-24');
    return null;
  } catch (error) {
    return error as PatternError;
  }
}
