import { failureSchema } from '#shared/answers';
import { type Authenticator, authenticated, permit } from '#shared/auth';
import type { Sql } from '#shared/db';
import { Elysia, t } from 'elysia';
import { nextQuery, nextReminder } from './model.ts';
import { nextReminders } from './service.ts';

/** What people may ask about their reminders. */
export const reminders = ({ sql, authenticator }: { sql: Sql; authenticator: Authenticator }) =>
  new Elysia({ name: 'reminders', prefix: '/api/v1/reminders' }).use(authenticated(authenticator)).get(
    '/next',
    ({ principal, query }) => {
      permit(principal, 'tasks:read');
      return nextReminders(sql, principal.userId, query.limit, new Date());
    },
    {
      query: nextQuery,
      response: {
        200: t.Array(nextReminder),
        400: failureSchema,
        401: failureSchema,
        403: failureSchema,
        503: failureSchema,
      },
      detail: { tags: ['Reminders'], summary: 'What will remind me next, and why' },
    },
  );
