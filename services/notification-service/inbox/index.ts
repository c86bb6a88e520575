import { type Authenticator, authenticated, permit } from '#shared/auth';
import type { Sql } from '#shared/db';
import { ApiError } from '#shared/errors';
import { failureSchema } from '#shared/answers';
import type { LongAnswers } from '#shared/long-answer';
import { nextLink } from '#shared/next-link';
import { Elysia, t } from 'elysia';
import { requirePerson } from '../person.ts';
import { inboxQuery, itemOf, itemSchema, readAllQuery } from './model.ts';
import { listInbox, markAllRead, markRead } from './service.ts';

const DEFAULT_ROWS = 50;

/** The inbox: what happened, and what still wants to be noticed. */
export const inbox = ({
  sql,
  authenticator,
  longAnswers,
}: {
  sql: Sql;
  authenticator: Authenticator;
  longAnswers: LongAnswers;
}) =>
  new Elysia({ name: 'inbox', prefix: '/api/v1/notifications' })
    .use(authenticated(authenticator))
    .get(
      '',
      async ({ principal: { userId }, principal, query, request, server, set }) => {
        permit(principal, 'notifications:read');
        const { next, ...page } = await listInbox(sql, userId, query, query.limit ?? DEFAULT_ROWS);
        if (next !== null) set.headers.link = nextLink(request, next);
        return longAnswers.page({ request, server, userId }, page, itemOf);
      },
      {
        query: inboxQuery,
        response: { 200: t.Array(itemSchema), 400: failureSchema, 401: failureSchema, 403: failureSchema },
        detail: {
          tags: ['Inbox'],
          summary: 'The inbox, newest first',
          description:
            'With `after` oldest first, to read a span again that a stream.gap names. `Link: rel="next"` when cut. ' +
            'Rows are kept for 7 days, unread ones for 30.',
        },
      },
    )
    .post(
      '/:id/read',
      async ({ principal, params: { id } }) => {
        requirePerson(principal);
        const row = /^\d{1,15}$/.test(id) ? await markRead(sql, principal.userId, Number(id)) : undefined;
        if (!row) throw new ApiError(404, 'NOTIFICATION_NOT_FOUND', 'There is no such notification.');
        return itemOf(row);
      },
      {
        response: { 200: itemSchema, 401: failureSchema, 403: failureSchema, 404: failureSchema },
        detail: { tags: ['Inbox'], summary: 'Mark one as read; again changes nothing' },
      },
    )
    .post(
      '/read-all',
      async ({ principal, query: { through } }) => {
        requirePerson(principal);
        return { read: await markAllRead(sql, principal.userId, through ?? null) };
      },
      {
        query: readAllQuery,
        response: { 200: t.Object({ read: t.Integer() }), 400: failureSchema, 401: failureSchema, 403: failureSchema },
        detail: { tags: ['Inbox'], summary: 'Mark all as read' },
      },
    );
