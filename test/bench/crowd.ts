import { keyId } from '#shared/auth';
import { SignJWT } from 'jose';
import type { Sql } from 'postgres';
import { SECRET } from '../support/parts.ts';

export type Member = { id: string; sid: string; headers: { authorization: string } };

/** The settings with which a service takes the tokens of a crowd. */
export const crowdSettings = { JWT_SECRET: SECRET };

/** The id of the member of this number, which pgbench can write too: from it and `000000000000` on. */
export const memberId = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

/** So many users with a session each, as logins leave them: thousands of sign-ups would cost a password hash each. */
export async function createCrowd(sql: Sql, count: number, role: 'admin' | null = null): Promise<Member[]> {
  const sessionId = (id: string) => id.replace('-8000-', '-9000-');
  const ids = Array.from({ length: count }, (_, n) => memberId(n));
  await sql`
    insert into users (id, email, password_hash, role)
    select id, id || '@example.com', '', ${role} from unnest(${ids}::uuid[]) as id`;
  await sql`
    insert into sessions (id, user_id, kind)
    select session, id, 'login' from unnest(${ids.map(sessionId)}::uuid[], ${ids}::uuid[]) as given (session, id)`;
  const key = new TextEncoder().encode(SECRET);
  return Promise.all(
    ids.map(async (id) => {
      const token = await new SignJWT({ sid: sessionId(id), email: `${id}@example.com` })
        .setProtectedHeader({ alg: 'HS256', kid: keyId(SECRET) })
        .setSubject(id)
        .setIssuedAt()
        .setExpirationTime('2h')
        .sign(key);
      return { id, sid: sessionId(id), headers: { authorization: `Bearer ${token}` } };
    }),
  );
}
