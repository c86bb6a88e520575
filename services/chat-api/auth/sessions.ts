import { sha256 } from '#shared/auth';
import type { Sql } from '#shared/db';
import { networkOf } from '#shared/address';
import { namedBy } from './email.ts';
import type { Login, Session } from './model.ts';
import { randomToken } from './opaque.ts';
import type { Asking } from './passwords.ts';
import { insertToken, newRefreshToken } from './refresh-tokens.ts';

/** Where a request comes from. */
export interface Caller extends Asking {
  /** What its device is called, if it says so. */
  device: string | null;
}

/** Logins of a user that are kept; a program that logs in each time has its last ones. */
const MAX_SESSIONS = 100;

/** Opens a session with its first refresh token, and clears away what has ended of this user, or was used longest ago. */
export async function openSession(
  sql: Sql,
  userId: string,
  { refreshSeconds, isPhase4, caller }: { refreshSeconds: number; isPhase4: boolean; caller: Caller },
): Promise<Pick<Login, 'sid' | 'refreshToken' | 'deviceToken'>> {
  const [sid, refreshToken, deviceToken] = [Bun.randomUUIDv7(), newRefreshToken(), isPhase4 ? null : randomToken()];
  const [columns, values] =
    deviceToken === null
      ? [sql``, sql``]
      : [
          sql`, device, address, device_hash`,
          sql`, ${caller.device}, ${networkOf(caller.address)}, ${sha256(deviceToken)}`,
        ];
  await sql`
    with ended as (
      delete from sessions where user_id = ${userId} and kind = 'login' and (
        expires_at < now() or id in (
          select id from sessions where user_id = ${userId} and kind = 'login'
          order by revoked_at is not null, coalesce(last_used_at, created_at) desc offset ${MAX_SESSIONS - 1}
        )
      )
    ), opened as (
      insert into sessions (id, user_id, expires_at ${columns})
      values (${sid}, ${userId}, now() + make_interval(secs => ${refreshSeconds}) ${values})
      returning id, expires_at
    )
    ${insertToken(sql, refreshToken, sql`select id as session_id, expires_at from opened`)}`;
  return { sid, refreshToken, deviceToken };
}

/** The living sessions of a user, newest first; `sid` is the current one. */
export async function listSessions(sql: Sql, userId: string, sid: string): Promise<Session[]> {
  const rows = await sql<(Pick<Session, 'id' | 'device' | 'address'> & Record<'created' | 'used' | 'expires', Date>)[]>`
    select id, to_jsonb(s) ->> 'device' as device, to_jsonb(s) ->> 'address' as address,
      created_at as created, coalesce(last_used_at, created_at) as used, expires_at as expires
    from sessions s
    where user_id = ${userId} and kind = 'login' and revoked_at is null and expires_at > now()
    order by created_at desc, id desc`;
  return rows.map(({ id, device, address, created, used, expires }) => ({
    id,
    device,
    address,
    created_at: created.toISOString(),
    last_used_at: used.toISOString(),
    expires_at: expires.toISOString(),
    current: id === sid,
  }));
}

/** Notes the use of a session or API token, to the minute: a program may call a thousand times a second. */
export async function markUsed(sql: Sql, id: string): Promise<void> {
  await sql`
    update sessions set last_used_at = now()
    where id = ${id} and coalesce(last_used_at < now() - interval '1 minute', true)`;
}

/** Whether a login of this account set this device token. It outlives the logout, until the row of the session goes. */
export async function isDeviceOf(sql: Sql, email: string, deviceToken: string): Promise<boolean> {
  const rows = await sql`
    select 1 from sessions where device_hash = ${sha256(deviceToken)}
      and user_id = (select id from users where ${namedBy(sql, email)})`;
  return rows.length > 0;
}

/** Ends a session of a user at its logout. Until it expires its row knows the device again, and nothing else. */
export async function logOut(sql: Sql, userId: string, sid: string, isPhase4: boolean): Promise<void> {
  await sql`
    update sessions set revoked_at = now() ${isPhase4 ? sql`` : sql`, device = null, address = null`}
    where id = ${sid} and user_id = ${userId} and revoked_at is null`;
}

/** Ends a session of a user, and its device is unknown from then on. False: there is no such living one. */
export async function endSession(sql: Sql, userId: string, sid: string): Promise<boolean> {
  const rows = await sql`
    delete from sessions where id = ${sid} and user_id = ${userId} and kind = 'login' and revoked_at is null returning id`;
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
