import { API_TOKEN_PREFIX, sha256 } from '#shared/auth';
import type { Sql } from '#shared/db';
import { randomToken } from '../auth/opaque.ts';
import { NOBODY } from '../auth/passwords.ts';

export const MAX_USERS = 10_000;
const DAYS = 7;

/** How many to make, or null when the text is no number of 1 to 10,000. */
export function seedCount(text: string): number | null {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= MAX_USERS ? count : null;
}

/**
 * Makes accounts for load tools, each with an API token of all scopes that ends after 7 days. Not through sign-up, whose
 * limits and hashing a thousand accounts would wait for; nobody can log in to them by password.
 */
export async function seedUsers(sql: Sql, count: number): Promise<{ email: string; token: string }[]> {
  const people = Array.from({ length: count }, () => {
    const id = Bun.randomUUIDv7();
    return { id, email: `load-${id}@example.com`, token: API_TOKEN_PREFIX + randomToken() };
  });
  const given = people.map(({ id, email, token }) => ({
    id,
    email,
    session_id: Bun.randomUUIDv7(),
    token_hash: sha256(token).toString('hex'),
  }));
  await sql`
    with given as (
      select * from jsonb_to_recordset(${sql.json(given)}) as g(id uuid, email text, session_id uuid, token_hash text)
    ), made as (insert into users (id, email, password_hash) select id, email, ${NOBODY} from given)
    insert into sessions (id, user_id, kind, name, scopes, token_hash, expires_at)
    select session_id, id, 'token', 'load', '{tasks:read,tasks:write,notifications:read,audit:read}',
      decode(token_hash, 'hex'), now() + make_interval(days => ${DAYS})
    from given`;
  return people.map(({ email, token }) => ({ email, token }));
}
