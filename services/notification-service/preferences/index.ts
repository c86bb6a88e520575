import { failureSchema } from '#shared/answers';
import { type Authenticator, authenticated, permit } from '#shared/auth';
import type { Sql } from '#shared/db';
import { Elysia } from 'elysia';
import { requirePerson } from '../person.ts';
import { type Level, preferencesSchema } from './model.ts';
import { readLevel, writeLevel } from './service.ts';

const response = { 200: preferencesSchema, 400: failureSchema, 401: failureSchema, 403: failureSchema };

/** What the caller's streams carry. `changed` is told at once; other replicas find it by their next look. */
export const preferences = ({
  sql,
  authenticator,
  changed,
}: {
  sql: Sql;
  authenticator: Authenticator;
  changed: (userId: string, level: Level) => void;
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
        changed(principal.userId, level);
        return { level };
      },
      {
        body: preferencesSchema,
        response,
        detail: { tags: ['Preferences'], summary: 'Choose what the streams carry; reminders are critical' },
      },
    );
