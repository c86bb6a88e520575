import type { Sql } from '#shared/db';
import { refusing } from '#shared/errors';
import { FieldError } from '#shared/field';
import { blankTask, isSeries } from '../changes/task-row.ts';
import { type Dates, datesWithin, type Span } from '../series/dates.ts';
import { userTimezone } from './create.ts';
import { needsUserTimezone, type TaskInput, withFields } from './fields.ts';

/** The dates of a pattern that is not saved yet, from its due date on. @throws {ApiError} 400 TASK_CREATION_ERROR */
export async function previewDates(sql: Sql, userId: string, input: TaskInput & Span, now: Date): Promise<Dates> {
  const blank = blankTask(userId, now);
  const timezone = needsUserTimezone(blank, input) ? await userTimezone(sql, userId) : null;
  return refusing('TASK_CREATION_ERROR', () => {
    const { recurrence_pattern, due_date, timezone: zone, recurrence_end_date } = input;
    const row = withFields(blank, { recurrence_pattern, due_date, timezone: zone, recurrence_end_date }, timezone);
    if (!isSeries(row)) throw new FieldError('recurrence_pattern', 'is required');
    return datesWithin(row, input);
  });
}
