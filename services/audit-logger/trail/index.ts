import { failureSchema } from '#shared/answers';
import { type Authenticator, authenticated, permit } from '#shared/auth';
import { isUuid } from '#shared/correlation';
import type { Sql } from '#shared/db';
import { ApiError, refusing } from '#shared/errors';
import { type Caller, type LongAnswers, NDJSON } from '#shared/long-answer';
import { nextLink } from '#shared/next-link';
import { readTime } from '#shared/time';
import { startOfDay } from '#shared/zone';
import { Elysia } from 'elysia';
import { placeOf } from './cursor.ts';
import { answers, eventsQuery, taskQuery } from './model.ts';
import { isOfOthers, readPage, readPages, type EventPage, type Search } from './service.ts';

const EXPORT_NOTE =
  'With `Accept: application/x-ndjson` or `format=ndjson` all of them come as one stream, an event a line.';

/** The trail: for admins all of it, for people that of their own tasks. */
export const trail = ({
  sql,
  authenticator,
  longAnswers,
}: {
  sql: Sql;
  authenticator: Authenticator;
  longAnswers: LongAnswers;
}) => {
  async function onePage(caller: Caller, page: Promise<EventPage>, onNext: (cursor: string) => void) {
    const { next, ...events } = await page;
    if (next !== null) onNext(next);
    return longAnswers.page(caller, events, (event) => event);
  }

  return new Elysia({ name: 'trail', prefix: '/api/v1/audit' })
    .use(authenticated(authenticator))
    .get(
      '/tasks/:task_id',
      ({ principal, params, query, request, server, set }) => {
        const search: Search = {
          taskId: params.task_id,
          userId: principal.role === 'admin' ? undefined : principal.userId,
          order: 'oldest first',
          after: placeOf(query.cursor),
        };
        const caller = { request, server, userId: principal.userId };
        if (wantsExport(request, query)) return longAnswers.ndjson(caller, readPages(sql, search));
        return onePage(caller, readPage(sql, search, query.limit), (cursor) => {
          set.headers.link = nextLink(request, cursor);
        });
      },
      {
        async beforeHandle({ principal, params: { task_id: taskId } }) {
          permit(principal, 'audit:read');
          if (!isUuid(taskId)) throw new ApiError(404, 'TASK_NOT_FOUND', 'There is no such task.');
          if (principal.role !== 'admin' && (await isOfOthers(sql, taskId, principal.userId)))
            throw new ApiError(403, 'FORBIDDEN', 'This task belongs to somebody else.');
        },
        query: taskQuery,
        response: { ...answers, 404: failureSchema },
        detail: {
          tags: ['Trail'],
          summary: 'The trail of one task, oldest event first',
          description: `Admins read any, people those of their own tasks, deleted ones too. ${EXPORT_NOTE}`,
        },
      },
    )
    .get(
      '/events',
      ({ principal, query, request, server, set }) => {
        const search: Search = {
          userId: query.user_id,
          type: query.type,
          correlationId: query.correlation_id,
          from: instant('from', query.from),
          to: instant('to', query.to),
          order: 'newest first',
          after: placeOf(query.cursor),
        };
        const caller = { request, server, userId: principal.userId };
        if (wantsExport(request, query)) return longAnswers.ndjson(caller, readPages(sql, search));
        return onePage(caller, readPage(sql, search, query.limit), (cursor) => {
          set.headers.link = nextLink(request, cursor);
        });
      },
      {
        beforeHandle({ principal }) {
          permit(principal, 'audit:read');
          if (principal.role !== 'admin') throw new ApiError(403, 'ADMIN_REQUIRED', 'Only admins may read all events.');
        },
        query: eventsQuery,
        response: answers,
        detail: {
          tags: ['Trail'],
          summary: 'Events of all tasks, newest first',
          description: `For admins only. ${EXPORT_NOTE}`,
        },
      },
    );
};

/** One JSON value a line, all that is found, no pages. Capitals do not count (RFC 9110, 8.3.1). */
const wantsExport = ({ headers }: Request, { format }: { format?: 'ndjson' }): boolean =>
  format === 'ndjson' || (headers.get('accept') ?? '').toLowerCase().includes(NDJSON);

/** A date is the beginning of that day in UTC. */
function instant(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = refusing('VALIDATION_ERROR', () => readTime(text, field));
  return typeof time === 'string' ? startOfDay(time, 'UTC') : time;
}
