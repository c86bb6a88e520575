import { Elysia, t } from 'elysia';
import { type Authenticator, authenticated, permit } from '#shared/auth';
import type { Sql } from '#shared/db';
import { ApiError, refusedAs } from '#shared/errors';
import { isTimezone } from '#shared/zone';

const settings = t.Object({
  timezone: t.Union([t.String(), t.Null()], { description: 'IANA name; null: UTC. Default of new tasks.' }),
});

/** What a user has set: today their time zone. */
export const settingsRoutes = ({ sql, authenticator }: { sql: Sql; authenticator: Authenticator }) =>
  new Elysia({ prefix: '/api/v1' })
    .use(authenticated(authenticator))
    .get(
      '/settings',
      ({ principal }) => {
        permit(principal, 'tasks:read');
        return readSettings(sql, principal.userId);
      },
      { response: { 200: settings }, detail: { tags: ['Settings'], summary: 'My settings' } },
    )
    .put(
      '/settings',
      async ({ principal, body: { timezone } }) => {
        permit(principal, 'tasks:write');
        if (timezone !== null && !isTimezone(timezone)) {
          throw new ApiError(400, 'SETTINGS_ERROR', 'The timezone must be an IANA name, such as Europe/Berlin.');
        }
        await writeTimezone(sql, principal.userId, timezone);
        return { timezone };
      },
      {
        transform: refusedAs('SETTINGS_ERROR'),
        body: settings,
        response: { 200: settings },
        detail: { tags: ['Settings'], summary: 'Change my settings' },
      },
    );

async function readSettings(sql: Sql, userId: string): Promise<{ timezone: string | null }> {
  const [row] = await sql<{ timezone: string | null }[]>`select timezone from users where id = ${userId}`;
  return { timezone: row?.timezone ?? null };
}

async function writeTimezone(sql: Sql, userId: string, timezone: string | null): Promise<void> {
  await sql`update users set timezone = ${timezone}, updated_at = now() where id = ${userId}`;
}
