import type { Dates } from '#shared/answers';
import type { Sql } from '#shared/db';
import { refusingAsync } from '#shared/errors';
import { FieldError } from '#shared/field';
import { blankTask, isSeries } from '../changes/task-row.ts';
import { type Computing, datesWithin, type Span } from '../series/dates.ts';
import { userTimezone } from './create.ts';
import { needsUserTimezone, type TaskInput, withFields } from './fields.ts';

/** The dates of a pattern that is not saved yet, from its due date on. @throws {ApiError} 400 TASK_CREATION_ERROR */
export async function previewDates(
  sql: Sql,
  { userId, input, now }: { userId: string; input: TaskInput & Span; now: Date },
  computing: Computing,
): Promise<Dates> {
  const blank = blankTask(userId, now);
  const timezone = needsUserTimezone(blank, input) ? await userTimezone(sql, userId) : null;
  const { recurrence_pattern, due_date, timezone: zone, recurrence_end_date } = input;
  const fields = { recurrence_pattern, due_date, timezone: zone, recurrence_end_date };
  return refusingAsync('TASK_CREATION_ERROR', () =>
    computing(() => {
      const row = withFields(blank, fields, timezone);
      if (!isSeries(row)) throw new FieldError('recurrence_pattern', 'is required');
      return datesWithin(row, input);
    }),
  );
}
