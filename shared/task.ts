import { type Static, type TBoolean, type TString, Type as t } from '@sinclair/typebox';

const nullable = <S extends TString | TBoolean>(schema: S) => t.Union([schema, t.Null()]);

export const PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const;
export const CATCH_UPS = ['latest', 'all', 'none'] as const;
export const REMINDER_STATUSES = ['pending', 'sent', 'acknowledged', 'cancelled'] as const;

/**
 * A task as events carry it (CONTRACT 5 and 11): every field, nulls explicit, times ISO 8601 UTC with `Z`. `due_date` and
 * `recurrence_end_date` are in the form given: an instant, or a plain date (of `due_date`, `due_all_day` says so too).
 * Enumerated fields are checked as strings only, since consumers keep values they do not know.
 */
export const taskSchema = t.Object(
  {
    id: t.String({ format: 'uuid' }),
    user_id: t.String({ format: 'uuid' }),
    title: t.String(),
    description: nullable(t.String()),
    completed: t.Boolean(),
    created_at: t.String(),
    updated_at: t.String(),
    priority: nullable(t.String()),
    due_date: nullable(t.String()),
    due_all_day: nullable(t.Boolean()),
    timezone: nullable(t.String()),
    recurrence_pattern: nullable(t.String()),
    recurrence_end_date: nullable(t.String()),
    catch_up: nullable(t.String()),
    reminder_offset: nullable(t.String()),
    reminder_status: nullable(t.String()),
    snoozed_until: nullable(t.String()),
    parent_recurring_task_id: nullable(t.String()),
    occurrence_date: nullable(t.String()),
    version: t.Integer(),
  },
  { additionalProperties: true },
);

export type Task = Static<typeof taskSchema>;
