import { type Authenticator, authenticated, permit } from '#shared/auth';
import type { Sql } from '#shared/db';
import { Elysia } from 'elysia';
import { errorSchema } from '../inbox/model.ts';
import { requirePerson } from '../person.ts';
import type { Connections } from '../stream/connections.ts';
import { preferencesSchema } from './model.ts';
import { readLevel, writeLevel } from './service.ts';

const response = { 200: preferencesSchema, 400: errorSchema, 401: errorSchema, 403: errorSchema };

/** What the caller's streams carry. Open streams follow at once, those of other replicas with their next look. */
export const preferences = ({
  sql,
  authenticator,
  connections,
}: {
  sql: Sql;
  authenticator: Authenticator;
  connections: Connections;
}) =>
  new Elysia({ name: 'preferences', prefix: '/api/v1/notifications' })
    .use(authenticated(authenticator))
    .get(
      '/preferences',
      async ({ principal }) => {
        permit(principal, 'notifications:read');
        return { level: await readLevel(sql, principal.userId) };
      },
      { response, detail: { tags: ['Preferences'], summary: 'What the streams carry: all, critical or none' } },
    )
    .put(
      '/preferences',
      async ({ principal, body: { level } }) => {
        requirePerson(principal);
        await writeLevel(sql, principal.userId, level);
        connections.setLevel(principal.userId, level);
        return { level };
      },
      {
        body: preferencesSchema,
        response,
        detail: { tags: ['Preferences'], summary: 'Choose what the streams carry; reminders are critical' },
      },
    );
