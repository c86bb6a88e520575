import { sha256 } from '#shared/auth';
import type { Sql } from '#shared/db';
import { namedBy } from './email.ts';
import { randomToken } from './opaque.ts';
import { insertToken, newRefreshToken } from './refresh-tokens.ts';

/** Who has logged in, and what proves it from now on. */
export interface Login {
  user: User;
  role: 'admin' | null;
  sid: string;
  /** Shown once; we keep its SHA-256. */
  refreshToken: string;
  /** As the refresh token; null where the device has one already, or the schema is that of Phase IV. */
  deviceToken: string | null;
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
  { refreshSeconds, isPhase4 }: { refreshSeconds: number; isPhase4: boolean },
): Promise<Pick<Login, 'sid' | 'refreshToken' | 'deviceToken'>> {
  const [sid, refreshToken, deviceToken] = [Bun.randomUUIDv7(), newRefreshToken(), isPhase4 ? null : randomToken()];
  await sql`
    with ended as (
      delete from sessions where user_id = ${userId} and kind = 'login' and (
        expires_at < now() or id in (
          select id from sessions where user_id = ${userId} and kind = 'login'
          order by revoked_at is not null, coalesce(last_used_at, created_at) desc offset ${MAX_SESSIONS - 1}
        )
      )
    ), opened as (
      insert into sessions (id, user_id, expires_at ${deviceToken === null ? sql`` : sql`, device_hash`})
      values (${sid}, ${userId}, now() + make_interval(secs => ${refreshSeconds})
        ${deviceToken === null ? sql`` : sql`, ${sha256(deviceToken)}`})
      returning id, expires_at
    )
    ${insertToken(sql, refreshToken, sql`select id as session_id, expires_at from opened`)}`;
  return { sid, refreshToken, deviceToken };
}

/** Whether a login of this account set this device token. It outlives the logout, until the row of the session goes. */
export async function isDeviceOf(sql: Sql, email: string, deviceToken: string): Promise<boolean> {
  const rows = await sql`
    select 1 from sessions where device_hash = ${sha256(deviceToken)}
      and user_id = (select id from users where ${namedBy(sql, email)})`;
  return rows.length > 0;
}

/** Ends a session of a user. Its row stays until it expires, and knows the device again. False: there is no such living one. */
export async function revokeSession(sql: Sql, userId: string, sid: string): Promise<boolean> {
  const rows = await sql`
    update sessions set revoked_at = now() where id = ${sid} and user_id = ${userId} and revoked_at is null returning id`;
  return rows.length > 0;
}

/** Ends all sessions and API tokens of a user except one; `null`: all. Nothing is kept of them, no device either. */
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
