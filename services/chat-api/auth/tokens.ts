import { API_TOKEN_PREFIX, sha256 } from '#shared/auth';
import type { Pool, Sql } from '#shared/db';
import { FieldError } from '#shared/field';
import { ApiError, refusing } from '#shared/errors';
import { atMost, isVisible } from '#shared/text';
import type { ApiToken, NewToken } from './model.ts';
import { randomToken } from './opaque.ts';

const MAX_NAME = 100;

interface Row {
  id: string;
  name: string;
  scopes: string[];
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
}

/**
 * A new API token of a user. The text is in this answer and nowhere else: we keep its SHA-256. The session that asks must
 * live at this moment: one that was ended, and is remembered for a second, would make itself a successor.
 * @throws {ApiError} 401 when it does not; 409 QUOTA_EXCEEDED; 400 naming `name` when nothing of it shows, or it is too long or of several lines
 */
export async function createApiToken(
  sql: Pool,
  { userId, sid, limit }: { userId: string; sid: string; limit: number },
  { name, scopes, expires_in_days = null }: NewToken,
): Promise<ApiToken & { token: string }> {
  refusing('VALIDATION_ERROR', () => checkName(name));
  const token = API_TOKEN_PREFIX + randomToken();
  const row = await sql.begin(async (tx) => {
    await requireRoom(tx, userId, limit);
    return insertApiToken(tx, { sid, token, name, scopes, expires_in_days });
  });
  if (!row) throw new ApiError(401, 'INVALID_TOKEN', 'This session has ended. Please log in again.');
  return { ...answered(row), token };
}

/** One at a time of a user: at the same time each would count without the others. @throws {ApiError} 409 QUOTA_EXCEEDED */
async function requireRoom(tx: Sql, userId: string, limit: number): Promise<void> {
  await tx`select 1 from users where id = ${userId} for no key update`;
  if ((await listApiTokens(tx, userId)).length < limit) return;
  throw new ApiError(409, 'QUOTA_EXCEEDED', `You have ${limit} API tokens, which is the most. Revoke one first.`);
}

async function insertApiToken(
  tx: Sql,
  { sid, token, name, scopes, expires_in_days }: Required<NewToken> & { sid: string; token: string },
): Promise<Row | undefined> {
  // The user's row is locked too, and first: a change of password waits, then sees this token and ends it.
  const [row] = await tx<Row[]>`
    insert into sessions (id, user_id, kind, name, scopes, token_hash, expires_at)
    select ${Bun.randomUUIDv7()}, u.id, 'token', ${name}, ${scopes}::text[], ${sha256(token)},
      now() + make_interval(days => ${expires_in_days}::integer)
    from users u join sessions s on s.user_id = u.id
    where s.id = ${sid} and s.revoked_at is null and to_jsonb(u) ->> 'disabled_at' is null
    for share
    returning id, name, scopes, created_at, expires_at, last_used_at`;
  return row;
}

function checkName(name: string): void {
  if (!isVisible(name) || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name))
    throw new FieldError('name', 'expected one line with a visible character');
  atMost(MAX_NAME, name, 'name');
}

/** The living API tokens of a user, newest first. */
export async function listApiTokens(sql: Sql, userId: string): Promise<ApiToken[]> {
  const rows = await sql<Row[]>`
    select id, name, scopes, created_at, expires_at, last_used_at from sessions
    where user_id = ${userId} and kind = 'token' and revoked_at is null and coalesce(expires_at > now(), true)
    order by created_at desc, id desc`;
  return rows.map(answered);
}

/** Ends an API token of a user. False: there is no such living one. */
export async function revokeApiToken(sql: Sql, userId: string, id: string): Promise<boolean> {
  const rows = await sql`
    delete from sessions where id = ${id} and user_id = ${userId} and kind = 'token' and revoked_at is null returning id`;
  return rows.length > 0;
}

const answered = ({ created_at, expires_at, last_used_at, ...row }: Row): ApiToken => ({
  ...row,
  created_at: created_at.toISOString(),
  expires_at: expires_at?.toISOString() ?? null,
  last_used_at: last_used_at?.toISOString() ?? null,
});
