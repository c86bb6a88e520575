import { sha256 } from '#shared/auth';
import type { Sql } from '#shared/db';
import { randomToken } from './opaque.ts';

/** Who has logged in, and what proves it from now on. */
export interface Login {
  user: User;
  role: 'admin' | null;
  sid: string;
  /** Shown once; we keep its SHA-256. */
  refreshToken: string;
}

/** As Phase IV answers it. */
export interface User {
  id: string;
  email: string;
  created_at: string;
}

/** Two tabs refresh at once, or an answer gets lost: this long a rotated token may be used again (CONTRACT 3). */
const GRACE = '10 seconds';

/** Opens a session with its first refresh token, and clears away what has long ended of this user. */
export async function openSession(
  sql: Sql,
  userId: string,
  refreshSeconds: number,
): Promise<{ sid: string; refreshToken: string }> {
  const [sid, refreshToken] = [Bun.randomUUIDv7(), randomToken()];
  await sql`
    with ended as (
      delete from sessions
      where user_id = ${userId} and kind = 'login' and (expires_at < now() or revoked_at < now() - interval '30 days')
    ), opened as (
      insert into sessions (id, user_id, expires_at) values (${sid}, ${userId}, ${fromNow(sql, refreshSeconds)})
      returning id, expires_at
    )
    insert into refresh_tokens (token_hash, session_id, expires_at)
    select ${sha256(refreshToken)}, id, expires_at from opened`;
  return { sid, refreshToken };
}

/**
 * Exchanges a refresh token for its child. One statement decides: the token is unused, or was used within the grace and
 * gets another child of the same family. `null`: unknown, expired, revoked, or used later than that.
 */
export async function rotate(sql: Sql, token: string, refreshSeconds: number): Promise<Login | null> {
  const refreshToken = randomToken();
  const [row] = await sql<(Omit<User, 'created_at'> & { created_at: Date; role: 'admin' | null; sid: string })[]>`
    with used as (
      update refresh_tokens t set rotated_at = coalesce(t.rotated_at, now())
      from sessions s join users u on u.id = s.user_id
      where t.token_hash = ${sha256(token)} and t.expires_at > now() and s.id = t.session_id and s.revoked_at is null
        and coalesce(t.rotated_at > now() - ${GRACE}::interval, true) and to_jsonb(u) ->> 'disabled_at' is null
      returning s.id as sid, u.id, u.email, u.created_at, to_jsonb(u) ->> 'role' as role
    ), child as (
      insert into refresh_tokens (token_hash, session_id, expires_at)
      select ${sha256(refreshToken)}, sid, ${fromNow(sql, refreshSeconds)} from used
    ), extended as (
      update sessions set expires_at = ${fromNow(sql, refreshSeconds)} from used where sessions.id = used.sid
    )
    select * from used`;
  if (!row) return null;
  const { id, email, created_at, role, sid } = row;
  await dropExpired(sql, sid);
  return { user: { id, email, created_at: created_at.toISOString() }, role, sid, refreshToken };
}

/** A token used after its grace was stolen, or its child was: ends the whole family. Returns the session, if it lived. */
export async function revokeReused(sql: Sql, token: string): Promise<{ sid: string; user_id: string } | null> {
  const [row] = await sql<{ sid: string; user_id: string }[]>`
    update sessions s set revoked_at = now() from refresh_tokens t
    where t.token_hash = ${sha256(token)} and t.rotated_at is not null and s.id = t.session_id and s.revoked_at is null
    returning s.id as sid, s.user_id`;
  return row ?? null;
}

/** Ends one session or API token of a user. False: there is no such living one. */
export async function revokeSession(sql: Sql, userId: string, sid: string): Promise<boolean> {
  const rows = await sql`
    update sessions set revoked_at = now() where id = ${sid} and user_id = ${userId} and revoked_at is null returning id`;
  return rows.length > 0;
}

/** Ends all sessions and API tokens of a user except one; `null`: all. */
export async function revokeSessions(sql: Sql, userId: string, exceptSid: string | null): Promise<void> {
  await sql`
    update sessions set revoked_at = now()
    where user_id = ${userId} and revoked_at is null and id is distinct from ${exceptSid}::uuid`;
}

/** Of a session that is refreshed for years; its living tokens are at most those of the last 30 days. */
async function dropExpired(sql: Sql, sid: string): Promise<void> {
  await sql`delete from refresh_tokens where session_id = ${sid} and expires_at < now()`;
}

const fromNow = (sql: Sql, seconds: number) => sql`now() + make_interval(secs => ${seconds})`;
