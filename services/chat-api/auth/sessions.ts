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

/** Opens a session with its first refresh token, and clears away what has long ended of this user. */
export async function openSession(
  sql: Sql,
  userId: string,
  refreshSeconds: number,
): Promise<{ sid: string; refreshToken: string }> {
  const [sid, refreshToken] = [Bun.randomUUIDv7(), newRefreshToken()];
  await sql`
    with ended as (
      delete from sessions
      where user_id = ${userId} and kind = 'login' and (expires_at < now() or revoked_at < now() - interval '30 days')
    ), opened as (
      insert into sessions (id, user_id, expires_at)
      values (${sid}, ${userId}, now() + make_interval(secs => ${refreshSeconds}))
      returning id, expires_at
    )
    ${insertToken(sql, refreshToken, sql`select id as session_id, expires_at from opened`)}`;
  return { sid, refreshToken };
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
