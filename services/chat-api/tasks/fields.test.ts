import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { occurrences, seriesOf } from '#shared/recurrence';
import { patterns, startDates } from '../../../test/support/arbitraries.ts';
import { dayNumber, dayText, zones } from '../../../test/support/calendar.ts';
import { walk } from '../../../test/support/walk.ts';
import { toTask } from '../changes/change.ts';
import { blankTask, isSeries, type TaskRow } from '../changes/task-row.ts';
import { withFields } from './fields.ts';

const now = new Date('2026-11-24T10:00:00.000Z');
const everywhere = [...zones, 'Etc/GMT+12', 'Etc/GMT-14', 'Pacific/Kwajalein'];
const dates = (row: TaskRow) =>
  isSeries(row) ? occurrences(seriesOf(row), { limit: 999 }).map(({ occurrence_date }) => occurrence_date) : [];

test('an all-day series keeps its dates and its end in every zone that it is moved to', () => {
  const moves = fc.array(fc.constantFrom(...everywhere), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(
      patterns(),
      startDates(),
      fc.nat(400),
      moves,
      (recurrence_pattern, due_date, length, [home, ...more]) => {
        fc.pre(due_date !== '2011-12-30'); // a day that Apia left out is the day after, there
        const last = dayNumber(due_date) + length;
        const expected = [...walk(recurrence_pattern, due_date, length + 1)].map(dayText);
        fc.pre(expected.length > 0);
        const input = { title: 'x', due_date, recurrence_pattern, recurrence_end_date: dayText(last) };
        let row = withFields(blankTask('owner', now), { ...input, timezone: home }, null);
        for (const timezone of [home, ...more]) {
          row = withFields(row, { timezone }, null);
          expect(toTask(row)).toMatchObject({ ...input, timezone, due_all_day: true });
          expect(dates(row)).toEqual(expected);
          expect(withFields(row, toTask(row), null)).toEqual(row);
        }
      },
    ),
    { numRuns: 150 },
  );
});
