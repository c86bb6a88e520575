import { Type as t } from '@sinclair/typebox';
import { CATCH_UPS, PRIORITIES, REMINDER_STATUSES } from '#shared/task';

// What the published API says of bodies. Checked by fields.ts, not from here: its refusals name field and reason, carry
// the codes of CONTRACT 4, and are the same for one task and for an item of a batch.

const orNull = <S extends ReturnType<typeof t.String>>(schema: S) => t.Union([schema, t.Null()]);
const oneOf = (values: readonly string[]) => t.Union(values.map((value) => t.Literal(value)));

const writable = {
  title: t.String({
    minLength: 1,
    maxLength: 255,
    description: '1 to 255 characters after trimming, at least one of which shows',
  }),
  description: t.Optional(orNull(t.String({ maxLength: 5000 }))),
  priority: t.Optional(oneOf(PRIORITIES)),
  due_date: t.Optional(orNull(t.String({ description: 'ISO 8601 instant with offset, or a date (due at its end)' }))),
  timezone: t.Optional(orNull(t.String({ description: "IANA name; default the user's, else UTC" }))),
  recurrence_pattern: t.Optional(
    orNull(t.String({ description: 'daily:, weekly:MON,WED, monthly:15, monthly:last, custom:3d or rrule:…' })),
  ),
  catch_up: t.Optional(oneOf(CATCH_UPS)),
  recurrence_end_date: t.Optional(
    orNull(t.String({ description: 'last instant at which an occurrence may fall, or last date of one' })),
  ),
  reminder_offset: t.Optional(orNull(t.String({ description: '1 day, 2 hours, 90 minutes, or P1D, PT2H' }))),
};

export const newTaskSchema = t.Object(writable);
export const taskChangesSchema = t.Partial(t.Object({ ...writable, completed: t.Boolean() }));
export const batchSchema = t.Object({ tasks: t.Array(newTaskSchema, { minItems: 1, maxItems: 100 }) });
export const snoozeSchema = t.Object({ for: t.String({ description: 'from now on: 10 minutes, 1 day, PT2H' }) });
export const previewSchema = t.Object({
  recurrence_pattern: t.String(),
  due_date: t.String(),
  timezone: t.Optional(t.String()),
  recurrence_end_date: t.Optional(t.String()),
  limit: t.Optional(t.Integer({ minimum: 1, maximum: 100, default: 10 })),
});

/** A task as answered; the fields of Phase V only when they are not null. */
export const taskAnswerSchema = t.Object({
  id: t.String({ format: 'uuid' }),
  user_id: t.String({ format: 'uuid' }),
  title: t.String(),
  description: orNull(t.String()),
  completed: t.Boolean(),
  created_at: t.String({ format: 'date-time' }),
  updated_at: t.String({ format: 'date-time' }),
  priority: t.Optional(t.String()),
  due_date: t.Optional(t.String()),
  timezone: t.Optional(t.String()),
  recurrence_pattern: t.Optional(t.String()),
  catch_up: t.Optional(t.String()),
  recurrence_end_date: t.Optional(t.String()),
  reminder_offset: t.Optional(t.String()),
  reminder_status: t.Optional(oneOf(REMINDER_STATUSES)),
  snoozed_until: t.Optional(t.String()),
  parent_recurring_task_id: t.Optional(t.String({ format: 'uuid' })),
  occurrence_date: t.Optional(t.String({ format: 'date' })),
  version: t.Optional(t.Integer()),
});

const json = (schema: object) => ({ content: { 'application/json': { schema } } });

/** What a route says of itself in the published API. */
export const documented = (
  summary: string,
  { body, status = 200, answer }: { body?: object; status?: number; answer?: object } = {},
) => ({
  tags: ['Tasks'],
  summary,
  ...(body && { requestBody: { required: true, ...json(body) } }),
  responses: { [status]: { description: summary, ...(answer && json(answer)) } },
});
