import { expect, test } from 'bun:test';
import { checkRule, PatternError } from './rrule.ts';

test.each([
  'FREQ=DAILY',
  'FREQ=DAILY;INTERVAL=366',
  'INTERVAL=52;FREQ=WEEKLY;BYDAY=MO,SU;WKST=SU',
  'FREQ=MONTHLY;BYDAY=1MO,-5FR,+2TU;BYSETPOS=-5,5;COUNT=1000',
  'FREQ=MONTHLY;BYMONTHDAY=-31,31;BYMONTH=1,12',
  'FREQ=YEARLY;INTERVAL=10;BYMONTH=9;BYDAY=1MO',
  'FREQ=YEARLY;BYDAY=MO',
  'FREQ=DAILY;UNTIL=20280229',
])('takes %s', (rule) => expect(() => checkRule(rule)).not.toThrow());

test.each([
  ['', 'rrule'],
  ['INTERVAL=2', 'rrule'],
  ['freq=DAILY', 'freq=DAILY'],
  ['FREQ=DAILY;', 'rrule'],
  ['FREQ=DAILY\nRDATE:20261224', 'FREQ=DAILY\nRDATE:20261224'],
  ['FREQ=SECONDLY', 'FREQ=SECONDLY'],
  ['FREQ=constructor', 'FREQ=constructor'],
  ['FREQ=DAILY;FREQ=DAILY', 'FREQ'],
  ['FREQ=DAILY;BYHOUR=9', 'BYHOUR'],
  ['FREQ=YEARLY;BYWEEKNO=20', 'BYWEEKNO'],
  ['FREQ=YEARLY;BYYEARDAY=20', 'BYYEARDAY'],
  ['FREQ=MONTHLY;SKIP=BACKWARD', 'SKIP'],
  ['FREQ=DAILY;FOO=1', 'FOO'],
  ['FREQ=DAILY;INTERVAL=0', 'INTERVAL=0'],
  ['FREQ=DAILY;INTERVAL=1,2', 'INTERVAL=1,2'],
  ['FREQ=DAILY;INTERVAL=367', 'INTERVAL=367'],
  ['FREQ=WEEKLY;INTERVAL=53', 'INTERVAL=53'],
  ['FREQ=MONTHLY;INTERVAL=25', 'INTERVAL=25'],
  ['FREQ=YEARLY;INTERVAL=11', 'INTERVAL=11'],
  ['FREQ=DAILY;COUNT=1001', 'COUNT=1001'],
  ['FREQ=DAILY;COUNT=-1', 'COUNT=-1'],
  ['FREQ=DAILY;COUNT=2;UNTIL=20261231', 'UNTIL'],
  ['FREQ=DAILY;UNTIL=20270229', 'UNTIL=20270229'],
  ['FREQ=DAILY;UNTIL=20261231T000000Z', 'UNTIL=20261231T000000Z'],
  ['FREQ=WEEKLY;BYDAY=MO,MO', 'BYDAY=MO'],
  ['FREQ=WEEKLY;BYDAY=XX', 'BYDAY=XX'],
  ['FREQ=WEEKLY;BYDAY=2MO', 'BYDAY=2MO'],
  ['FREQ=YEARLY;BYDAY=2MO', 'BYDAY=2MO'],
  ['FREQ=MONTHLY;BYDAY=6MO', 'BYDAY=6MO'],
  ['FREQ=MONTHLY;BYDAY=0MO', 'BYDAY=0MO'],
  ['FREQ=MONTHLY;BYMONTHDAY=32', 'BYMONTHDAY=32'],
  ['FREQ=MONTHLY;BYMONTHDAY=0', 'BYMONTHDAY=0'],
  ['FREQ=WEEKLY;BYMONTHDAY=1', 'BYMONTHDAY'],
  ['FREQ=YEARLY;BYMONTH=13', 'BYMONTH=13'],
  ['FREQ=YEARLY;BYMONTH=-1', 'BYMONTH=-1'],
  ['FREQ=YEARLY;BYMONTH=1;BYDAY=MO;BYSETPOS=1', 'BYSETPOS'],
  ['FREQ=MONTHLY;BYSETPOS=1', 'BYSETPOS'],
  ['FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6', 'BYSETPOS=6'],
  ['FREQ=WEEKLY;WKST=MON', 'WKST=MON'],
  [`FREQ=DAILY;BYMONTH=${'1,'.repeat(150)}2`, 'rrule'],
])('refuses %p naming %p', (rule, part) => {
  let refused: unknown;
  try {
    checkRule(rule);
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(PatternError);
  expect(refused).toMatchObject({ part });
});

test('a long part is cut in the message', () => {
  expect(() => checkRule('A'.repeat(200))).toThrow(`recurrence_pattern: ${'A'.repeat(40)}…: expected`);
});
