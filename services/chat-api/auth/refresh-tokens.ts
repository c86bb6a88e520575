import { sha256 } from '#shared/auth';
import type { Sql } from '#shared/db';
import { randomToken } from './opaque.ts';
import type { Login, User } from './model.ts';

// A refresh token reads `<family>.<own>`: the first part stays with its session, the second is new at each exchange. We
// keep the SHA-256 of every token that may still be used, and that of the family in a row which is itself no token: a
// token of a known family that is not among the others was used before. So used ones need not be kept, and a thief
// cannot make us forget the one he stole by using many.

/** Two tabs refresh at once, or an answer gets lost: this long a rotated token may be used again (CONTRACT 3). */
const GRACE = '10 seconds';
/** Each answer that got lost leaves one behind; above this many the oldest counts as used. */
const MAX_UNUSED = 100;

/** A new token: the first of a session, or the child of another of its family. */
export const newRefreshToken = (family = randomToken()): string => `${family}.${randomToken()}`;

/** What all tokens of a session begin with. Of a token without a family, the earlier form, the token itself. */
export const familyOf = (token: string): string => token.split('.', 1)[0] ?? '';

/** The rows of a new token and, unless it is there, of its family; `from` gives `session_id` and `expires_at`. */
export const insertToken = (sql: Sql, token: string, from: ReturnType<Sql>) => sql`
  insert into refresh_tokens (token_hash, session_id, expires_at, rotated_at)
  select ${sha256(token)}::bytea, session_id, expires_at, null::timestamptz from (${from}) as new
  union all
  select ${sha256(familyOf(token))}::bytea, session_id, 'infinity'::timestamptz, '-infinity'::timestamptz from (${from}) as new
  on conflict (token_hash) do nothing`;

/**
 * Exchanges a refresh token for its child. One statement decides: the token is unused, or was used within the grace and
 * gets another child of the same family. `null`: unknown, expired, revoked, or used later than that.
 */
export async function rotate(sql: Sql, token: string, refreshSeconds: number): Promise<Login | null> {
  const refreshToken = newRefreshToken(token.includes('.') ? familyOf(token) : undefined);
  const expiresAt = sql`now() + make_interval(secs => ${refreshSeconds})`;
  const [row] = await sql<(Omit<User, 'created_at'> & { created_at: Date; role: 'admin' | null; sid: string })[]>`
    with held as (
      select t.token_hash, s.id as sid, u.id, u.email, u.created_at, to_jsonb(u) ->> 'role' as role
      from refresh_tokens t join sessions s on s.id = t.session_id join users u on u.id = s.user_id
      where t.token_hash = ${sha256(token)} and t.expires_at > now() and s.revoked_at is null
        and coalesce(t.rotated_at > now() - ${GRACE}::interval, true) and to_jsonb(u) ->> 'disabled_at' is null
      for no key update of s
    ), used as (
      update refresh_tokens t set rotated_at = coalesce(t.rotated_at, now()) from held
      where t.token_hash = held.token_hash
    ), child as (
      ${insertToken(sql, refreshToken, sql`select sid as session_id, ${expiresAt} as expires_at from held`)}
    ), extended as (
      update sessions set expires_at = ${expiresAt}, last_used_at = now() from held where sessions.id = held.sid
    )
    select * from held`;
  if (!row) return null;
  const { id, email, created_at, role, sid } = row;
  await dropSpent(sql, sid);
  return { user: { id, email, created_at: created_at.toISOString() }, role, sid, refreshToken, deviceToken: null };
}

/**
 * A token used after its grace was stolen, or its child was: ends the whole session. Returns that, if it lived. One that
 * has merely expired ends nothing.
 */
export async function endReused(sql: Sql, token: string): Promise<{ sid: string; user_id: string } | null> {
  const [row] = await sql<{ sid: string; user_id: string }[]>`
    delete from sessions s using refresh_tokens t
    where t.token_hash in (${sha256(token)}, ${sha256(familyOf(token))}) and t.rotated_at is not null
      and s.id = t.session_id and s.revoked_at is null
      and not exists (select 1 from refresh_tokens where token_hash = ${sha256(token)} and rotated_at is null)
    returning s.id as sid, s.user_id`;
  return row ?? null;
}

/** What cannot be exchanged any more, and the oldest of too many that could: the rows of a session are bounded. */
async function dropSpent(sql: Sql, sid: string): Promise<void> {
  await sql`
    delete from refresh_tokens where session_id = ${sid} and (
      (rotated_at > '-infinity' and rotated_at <= now() - ${GRACE}::interval)
      or token_hash in (
        select token_hash from refresh_tokens where session_id = ${sid} and rotated_at is null
        order by created_at desc offset ${MAX_UNUSED}
      )
    )`;
}
