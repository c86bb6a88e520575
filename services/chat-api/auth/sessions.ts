import type { Sql } from '#shared/db';
import { insertToken, newRefreshToken } from './refresh-tokens.ts';

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

/** Logins of a user that are kept; a program that logs in each time has its last ones. */
const MAX_SESSIONS = 100;

/** Opens a session with its first refresh token, and clears away what has ended of this user, or was used longest ago. */
export async function openSession(
  sql: Sql,
  userId: string,
  refreshSeconds: number,
): Promise<{ sid: string; refreshToken: string }> {
  const [sid, refreshToken] = [Bun.randomUUIDv7(), newRefreshToken()];
  await sql`
    with ended as (
      delete from sessions where user_id = ${userId} and kind = 'login' and (
        expires_at < now() or id in (
          select id from sessions where user_id = ${userId} and kind = 'login'
          order by revoked_at is not null, coalesce(last_used_at, created_at) desc offset ${MAX_SESSIONS - 1}
        )
      )
    ), opened as (
      insert into sessions (id, user_id, expires_at)
      values (${sid}, ${userId}, now() + make_interval(secs => ${refreshSeconds}))
      returning id, expires_at
    )
    ${insertToken(sql, refreshToken, sql`select id as session_id, expires_at from opened`)}`;
  return { sid, refreshToken };
}

/** Ends a session of a user. Its row stays until it expires. False: there is no such living one. */
export async function revokeSession(sql: Sql, userId: string, sid: string): Promise<boolean> {
  const rows = await sql`
    update sessions set revoked_at = now() where id = ${sid} and user_id = ${userId} and revoked_at is null returning id`;
  return rows.length > 0;
}

/** Ends all sessions and API tokens of a user except one; `null`: all. Nothing is kept of them. */
export async function revokeSessions(sql: Sql, userId: string, exceptSid: string | null): Promise<void> {
  await sql`delete from sessions where user_id = ${userId} and id is distinct from ${exceptSid}::uuid`;
}

const PURGE_ROWS = 1000;

/** Deletes what has expired of everybody's sessions and API tokens, a portion at a time. @returns how many */
export async function purgeSessions(sql: Sql): Promise<number> {
  const { count } = await sql`
    delete from sessions where id = any(array(
      select id from sessions where expires_at < now() limit ${PURGE_ROWS} for update skip locked))`;
  return count;
}
