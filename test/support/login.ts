import { API_TOKEN_PREFIX, keyId, sha256 } from '#shared/auth';
import { SignJWT } from 'jose';
import type { Sql } from 'postgres';
import { SECRET } from './parts.ts';

export type Login = Awaited<ReturnType<typeof logIn>>;
type SessionOptions = Parameters<typeof openSession>[2];

/**
 * A new user with a session, as chat-api leaves them, and the headers they call with. `sql` is the administrator's: the
 * services that ask for a login only read both. `scopes`: what they show is an API token.
 */
export async function logIn(sql: Sql, { role = null, ...session }: { role?: 'admin' | null } & SessionOptions = {}) {
  const id = crypto.randomUUID();
  await sql`insert into users (id, email, password_hash, role) values (${id}, ${`${id}@example.com`}, '', ${role})`;
  return openSession(sql, id, session);
}

/** One more session of a user. `expiresInMs`: life of the access token, below 0 of one that has expired. */
export async function openSession(
  sql: Sql,
  userId: string,
  {
    scopes,
    expiresInMs = 3_600_000,
    isRevoked = false,
  }: { scopes?: string[] | undefined; expiresInMs?: number; isRevoked?: boolean } = {},
) {
  const sid = crypto.randomUUID();
  const token = scopes ? `${API_TOKEN_PREFIX}${crypto.randomUUID()}` : await accessToken(userId, sid, expiresInMs);
  await sql`
    insert into sessions (id, user_id, kind, name, scopes, token_hash, revoked_at)
    values (${sid}, ${userId}, ${scopes ? 'token' : 'login'}, ${scopes ? 'script' : null}, ${scopes ?? null},
      ${scopes ? sha256(token) : null}, ${isRevoked ? new Date() : null})`;
  return { id: userId, sid, token, headers: { authorization: `Bearer ${token}` } };
}

const accessToken = (userId: string, sid: string, expiresInMs: number): Promise<string> =>
  new SignJWT({ sid, email: `${userId}@example.com` })
    .setProtectedHeader({ alg: 'HS256', kid: keyId(SECRET) })
    .setSubject(userId)
    .setIssuedAt()
    .setExpirationTime(new Date(Date.now() + expiresInMs))
    .sign(new TextEncoder().encode(SECRET));
