import { failureSchema } from '#shared/answers';
import { t } from 'elysia';

const page = {
  limit: t.Optional(t.Integer({ minimum: 1, maximum: 1000, description: 'how many at most, 100 if not given' })),
  cursor: t.Optional(t.String({ maxLength: 200, description: 'where the last page ended: take it from its Link' })),
  format: t.Optional(t.Literal('ndjson', { description: 'as `Accept: application/x-ndjson`, for a link' })),
};

export const taskQuery = t.Object(page);

/** The length leaves out `urn:uuid:…`, which the format of TypeBox takes and Postgres does not. */
const uuid = (description: string) => t.Optional(t.String({ format: 'uuid', maxLength: 36, description }));

const time = 'ISO 8601 with offset, or a date: its beginning in UTC';

export const eventsQuery = t.Object({
  user_id: uuid('owner of the task'),
  type: t.Optional(t.String({ pattern: '^[\\w.-]+$', description: 'such as task.created' })),
  from: t.Optional(t.String({ description: `${time}, inclusive` })),
  to: t.Optional(t.String({ description: `${time}, exclusive` })),
  correlation_id: uuid('X-Correlation-Id of a request'),
  ...page,
});

/** One row of the trail. */
const auditEvent = t.Object({
  event_id: t.String(),
  event_type: t.String(),
  task_id: t.String(),
  user_id: t.String({ description: 'owner of the task' }),
  timestamp: t.String({ description: 'when it happened' }),
  stored_at: t.String({ description: 'when the trail got it' }),
  correlation_id: t.String(),
  payload: t.Unknown({ description: 'the whole event; task.updated holds old and new of each changed field' }),
});

export type AuditEvent = typeof auditEvent.static;

export const answers = {
  200: t.Array(auditEvent),
  400: failureSchema,
  401: failureSchema,
  403: failureSchema,
  503: failureSchema,
};
