import { t } from 'elysia';

export const nextQuery = t.Object({
  limit: t.Integer({ default: 20, minimum: 1, maximum: 100, description: 'how many at most, the nearest first' }),
});

export const nextReminder = t.Object({
  task_id: t.String({ format: 'uuid' }),
  title: t.String(),
  trigger_at: t.String({ description: 'when it reminds, ISO 8601 UTC' }),
  due_date: t.Union([t.String(), t.Null()], { description: 'as given: an instant, or a date' }),
  offset: t.Union([t.String(), t.Null()], { description: 'ISO 8601 duration; null when snoozed' }),
  why: t.String({ description: 'the reason in words' }),
});

export type NextReminder = typeof nextReminder.static;
