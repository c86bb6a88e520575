import { t } from 'elysia';

/** A row of the inbox as REST and streams give it. `id` is the user's own number: 1, 2, 3 … */
export const itemSchema = t.Object({
  id: t.Integer(),
  notify: t.Boolean({ description: 'a reminder, or a change made by somebody else' }),
  created_at: t.String(),
  read_at: t.Union([t.String(), t.Null()]),
  event: t.Object({}, { additionalProperties: true }),
});

export type Item = typeof itemSchema.static;

/** A row of `notifications`. */
export interface Row {
  user_id: string;
  seq: number;
  type: string;
  notify: boolean;
  payload: object;
  created_at: Date;
  read_at: Date | null;
}

/** The one form of a row outside the database, so that live delivery, replay and REST agree. */
export const itemOf = ({ seq, notify, created_at: createdAt, read_at: readAt, payload }: Row): Item => ({
  id: seq,
  notify,
  created_at: createdAt.toISOString(),
  read_at: readAt?.toISOString() ?? null,
  event: payload,
});

const number = (description: string) =>
  t.Optional(t.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }));

export const inboxQuery = t.Object({
  unread: t.Optional(t.Boolean({ description: 'only what is not read yet' })),
  after: number('only higher numbers; the answer is then oldest first'),
  before: number('only lower numbers'),
  cursor: number('where the page before ended; from its Link header'),
  limit: t.Optional(t.Integer({ minimum: 1, maximum: 200, default: 50 })),
});

export type InboxQuery = typeof inboxQuery.static;

export const readAllQuery = t.Object({
  through: number('nothing above this number: what came after the person looked stays unread'),
});
