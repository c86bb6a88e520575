import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { readLine } from './quick-add.ts';

// A Saturday, 12:00 in Berlin.
const moment = { now: Date.parse('2026-11-28T11:00:00Z'), zone: 'Europe/Berlin' };
const read = (line: string, ...ignored: string[]) => readLine(line, moment, new Set(ignored));

describe('readLine', () => {
  test.each<[string, object]>([
    ['Buy milk', { title: 'Buy milk' }],
    ['Call the bank tomorrow 9am', { title: 'Call the bank', due_date: '2026-11-29T08:00:00Z' }],
    ['Call the bank at 9', { title: 'Call the bank', due_date: '2026-11-29T08:00:00Z' }], // 9:00 has passed today
    ['Call at 14:10', { title: 'Call', due_date: '2026-11-28T13:10:00Z' }],
    ['Lunch noon mon', { title: 'Lunch', due_date: '2026-11-30T11:00:00Z' }],
    ['Call mum yesterday', { title: 'Call mum', due_date: '2026-11-27' }],
    ['Tea in 2h', { title: 'Tea', due_date: '2026-11-28T13:00:00Z' }],
    ['Tea in 3 days', { title: 'Tea', due_date: '2026-12-01' }],
    ['Party 1 dec', { title: 'Party', due_date: '2026-12-01' }],
    ['Party on May 5th 2028 8pm', { title: 'Party', due_date: '2028-05-05T18:00:00Z' }],
    ['Taxes 15 jan', { title: 'Taxes', due_date: '2027-01-15' }],
    ['Party 24.12.2026', { title: 'Party', due_date: '2026-12-24' }],
    ['Leap 29 feb', { title: 'Leap', due_date: '2028-02-29' }],
    ['Film tonight', { title: 'Film', due_date: '2026-11-28T19:00:00Z' }],
    ['Film tonight 21:30', { title: 'Film', due_date: '2026-11-28T20:30:00Z' }],
    ['Plan next week', { title: 'Plan', due_date: '2026-11-30' }],
    ['Plan next month', { title: 'Plan', due_date: '2026-12-01' }],
    ['Tidy this weekend', { title: 'Tidy', due_date: '2026-11-28' }],
    ['Accounts end of the month 17:00', { title: 'Accounts', due_date: '2026-11-30T16:00:00Z' }],
    ['Party 24/12/2026', { title: 'Party', due_date: '2026-12-24' }],
    ['Party 12/24/2026', { title: 'Party', due_date: '2026-12-24' }],
    ['Party 12/12/2026', { title: 'Party', due_date: '2026-12-12' }],
    ['Read "Today" tomorrow', { title: 'Read "Today"', due_date: '2026-11-29' }],
    ['"Buy milk tomorrow" mon', { title: 'Buy milk tomorrow', due_date: '2026-11-30' }],
    ['Party 2026-12-24', { title: 'Party', due_date: '2026-12-24' }],
    ['Party next sat', { title: 'Party', due_date: '2026-12-05' }],
    ['Fix the roof !urgent', { title: 'Fix the roof', priority: 'urgent' }],
    [
      'Rent every month on the 1st 9:00 remind 1 day',
      {
        title: 'Rent',
        due_date: '2026-11-29T08:00:00Z',
        recurrence_pattern: 'monthly:1',
        reminder_offset: 'P1D',
      },
    ],
    [
      'Stand-up mon,wed,fri 9:00 !high ^15m',
      {
        title: 'Stand-up',
        priority: 'high',
        due_date: '2026-11-29T08:00:00Z',
        recurrence_pattern: 'weekly:MON,WED,FRI',
        reminder_offset: 'PT15M',
      },
    ],
    [
      'Water every 3 days until 30 jun',
      {
        title: 'Water',
        due_date: '2026-11-28',
        recurrence_pattern: 'custom:3d',
        recurrence_end_date: '2027-06-30',
      },
    ],
    [
      'Report every 2 weeks on tue and thu 10:00',
      {
        title: 'Report',
        due_date: '2026-12-01T09:00:00Z',
        recurrence_pattern: 'rrule:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH',
      },
    ],
  ])('%s', (line, input) => expect(read(line)).toMatchObject({ input: expect.objectContaining(input), problem: null }));

  test.each(['Hire 2 junior developers', 'Read 12 novels', 'Buy 5 marbles', 'Decorate 3 rooms', 'Plant 3 maples'])(
    '%s is a title',
    (line) => expect(read(line)).toMatchObject({ input: { title: line }, parts: [], doubts: [] }),
  );

  test.each(['January', 'sept', 'September', 'Dec'])('5 %s is a day', (month) =>
    expect(read(`Party 5 ${month}`).parts).toMatchObject([{ kind: 'date', text: `5 ${month}` }]),
  );

  test.each([
    ['every day', 'daily:'],
    ['daily', 'daily:'],
    ['every week', 'weekly:'],
    ['every weekday', 'weekly:MON,TUE,WED,THU,FRI'],
    ['every sunday', 'weekly:SUN'],
    ['every fri, mon and wed', 'weekly:MON,WED,FRI'],
    ['every month', 'monthly:'],
    ['every 31st', 'monthly:31'],
    ['every last day of the month', 'monthly:last'],
    ['every month on the last day', 'monthly:last'],
    ['every other day', 'custom:2d'],
    ['every 3 months on the 5th', 'rrule:FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=5'],
    ['every year', 'rrule:FREQ=YEARLY'],
    ['every month on the last Friday', 'rrule:FREQ=MONTHLY;BYDAY=-1FR'],
    ['monthly on the last friday', 'rrule:FREQ=MONTHLY;BYDAY=-1FR'],
    ['last friday of every month', 'rrule:FREQ=MONTHLY;BYDAY=-1FR'],
    ['every last friday', 'rrule:FREQ=MONTHLY;BYDAY=-1FR'],
    ['every first monday', 'rrule:FREQ=MONTHLY;BYDAY=1MO'],
    ['every 2nd tuesday', 'rrule:FREQ=MONTHLY;BYDAY=2TU'],
    ['every month on the 2nd tuesday', 'rrule:FREQ=MONTHLY;BYDAY=2TU'],
    ['the third thu of each month', 'rrule:FREQ=MONTHLY;BYDAY=3TH'],
    ['every month on the last weekday', 'rrule:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1'],
    ['every first workday of the month', 'rrule:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1'],
    ['every year on 29 February', 'rrule:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29'],
    ['every 29 Feb', 'rrule:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29'],
    ['yearly on March 3rd', 'rrule:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=3'],
    ['every weekend', 'weekly:SAT,SUN'],
    ['every quarter', 'rrule:FREQ=MONTHLY;INTERVAL=3'],
  ])('%s is %s', (words, pattern) => {
    const { input, doubts } = read(`Rent ${words}`);
    expect([input.title, input.recurrence_pattern, doubts]).toEqual(['Rent', pattern, []]);
  });

  test.each([
    ['Plan 31 feb', '31 feb'],
    ['Plan 2027-02-30', '2027-02-30'],
    ['Plan 30.02.2027', '30.02.2027'],
    ['Meet at 25:00', 'at 25:00'],
    ['Meet 13pm', '13pm'],
    ['Rent every 32nd', 'every 32nd'],
    ['Rent every 0 days', 'every 0 days'],
    ['Rent every year on 31 feb', 'every year on 31 feb'],
    ['Rent every month on payday', 'on payday'],
    ['Party 3/4/2027', '3/4/2027'],
    ['Pills daily at 8 and 20', 'and 20'],
    ['Pills every day 8:00 and 20:00', '8:00 and'],
    ['Pills every day 8:00 for 5 times', 'for 5 times'],
    ['Gym every monday for the next 3 weeks', 'for the next 3 weeks'],
    ['dentist 30 feb 10:00', '10:00'],
    ['Party 3/4/2027 at 20:00', 'at 20:00'],
    ['Rent every 32nd 9:00', '9:00'],
  ])('%s: "%s" is said to be no date, time or rule, and stays in the title', (line, doubt) => {
    const { input, doubts } = read(line);
    expect(doubts).toContain(doubt);
    expect(input.title).toContain(doubt);
  });

  test.each([
    'Weekly report',
    'Read chapter 12',
    'Buy 3 apples',
    'Plan 31 feb',
    'Meet at 25:00',
    'Write "buy milk tomorrow" on the list',
    "Prepare tomorrow's talk",
    'Ask Sunny',
    'dentist 30 feb 10:00',
    "Read yesterday's paper",
  ])('%s is a title and nothing else', (line) => {
    const { parts, input } = read(line);
    expect(parts).toEqual([]);
    expect(input).toEqual({ title: line });
  });

  test.each([
    ['every 2 weeks on tue', '2026-12-01'], // counted from the Saturday, it would be the Tuesday after next
    ['every 2 weeks on fri and sat', '2026-11-28'],
    ['every 2 weeks on sat 9:00', '2026-12-05T08:00:00Z'], // 9:00 has passed today
    ['every 3 months on the 5th', '2026-12-05'],
    ['every 2 months on the last', '2026-11-30'],
    ['every 2 months on the 31st', '2026-12-31'],
    ['every 2 weeks on tue 2026-12-10', '2026-12-10'],
    ['every 2 weeks', '2026-11-28'],
  ])('%s begins with the first day that it names', (words, due) =>
    expect(read(`Bins ${words}`).input.due_date).toBe(due),
  );

  test('a time stays one beside a date that exists, or a rule', () => {
    expect(read('Call 31 feb mon 10:00').input.due_date).toBe('2026-11-30T09:00:00Z');
    expect(read('Call every day 31 feb 13:00').input.due_date).toBe('2026-11-28T12:00:00Z');
  });

  test('of two dates the last one counts', () => {
    expect(read('Sun cream mon').input).toMatchObject({ title: 'Sun cream', due_date: '2026-11-30' });
  });

  test('a part that was taken back is a piece of the title again', () => {
    expect(read('Read mon tomorrow', 'tomorrow').input).toEqual({ title: 'Read tomorrow', due_date: '2026-11-30' });
  });

  test.each([
    ['Tea ^15m', 'A reminder needs a date or a time.'],
    ['Tea until 30 jun', '“until” needs a repeat, such as “every day”.'],
    ['tomorrow 9:00', 'What is to be done?'],
  ])('%s is refused in words', (line, problem) => expect(read(line).problem).toBe(problem));

  test.each([
    [
      'Tram 31 mar 2030 2:30',
      '2030-03-31T01:30:00Z',
      '02:30 does not exist on 2030-03-31 in Europe/Berlin: moved to 03:30',
    ],
    [
      'Tram 27 oct 2030 2:30',
      '2030-10-27T00:30:00Z',
      '02:30 comes twice on 2030-10-27 in Europe/Berlin: the first is taken',
    ],
    ['Tram 27 oct 2030 3:30', '2030-10-27T02:30:00Z', null],
    ['Tram 27 oct 2030', '2030-10-27', null],
  ])('%s: daylight saving is said', (line, due, note) => {
    const understood = read(line);
    expect([understood.input.due_date, understood.note]).toEqual([due, note]);
  });

  test('a time that is counted from now is that instant, also where its clock comes twice', () => {
    const second = { now: Date.parse('2026-10-25T01:10:00Z'), zone: 'Europe/Berlin' }; // 02:10 for the second time
    expect(readLine('Tea in 20 min', second)).toMatchObject({
      input: { due_date: '2026-10-25T01:30:00Z' },
      note: null,
    });
  });

  test('what is printed is read as it was meant, in any order', () => {
    const pieces = fc.record(
      {
        date: fc.constantFrom('tomorrow', '24 dec', 'dec 24', '2027-02-03', 'on fri', 'in 4 days'),
        time: fc.constantFrom('9:00', '9am', 'at 17:45', '12:30 pm', 'noon'),
        repeat: fc.constantFrom('every day', 'every mon, fri', 'every month on the 3rd', 'every 5 days'),
        until: fc.constantFrom('until 30 jun', 'until 2028-01-01'),
        reminder: fc.constantFrom('^15m', '^2h', 'remind 1 day before', 'remind me 30 minutes before'),
        priority: fc.constantFrom('!low', '!medium', '!high', '!urgent'),
      },
      { requiredKeys: ['date', 'repeat'] },
    );
    const shuffled = pieces.chain((said) =>
      fc.shuffledSubarray(Object.entries(said), { minLength: Object.keys(said).length }),
    );
    fc.assert(
      fc.property(fc.constantFrom('Call mum', 'Über-Bericht', 'a, b & c'), shuffled, (title, said) => {
        const { parts, input, problem } = read([title, ...said.map(([, words]) => words)].join(' '));
        expect(problem).toBeNull();
        expect(input.title).toBe(title);
        expect(parts.map(({ kind, text }) => [kind as string, text])).toEqual(
          said.map(([kind, words]) => [kind, words ?? '']),
        );
      }),
    );
  });

  test('no line makes it stumble, or hold up the page', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (line) => void read(line)));
    read('every mon, '.repeat(500));
    read('in '.repeat(2000));
    read(`until ${'9 '.repeat(2000)}`);
  });
});
