import { sha256 } from '#shared/auth';
import type { Sql } from '#shared/db';
import { randomToken } from './opaque.ts';

type CodeKind = 'invite' | 'reset';

/** Days a printed code is good for. A reset gives an account away, so it ends sooner. */
const LIFE_DAYS: Record<CodeKind, number> = { invite: 7, reset: 1 };

/** Makes a single-use code for an operator to hand over. Earlier ones of the same kind and email stop working. */
export async function issueCode(sql: Sql, kind: CodeKind, email: string): Promise<{ code: string; expires_at: Date }> {
  const code = randomToken();
  await sql`delete from account_codes where (kind = ${kind} and email = ${email}) or expires_at < now() - interval '30 days'`;
  const [row] = await sql<{ expires_at: Date }[]>`
    insert into account_codes (code_hash, kind, email, expires_at)
    values (${sha256(code)}, ${kind}, ${email}, now() + make_interval(days => ${LIFE_DAYS[kind]}))
    returning expires_at`;
  if (!row) throw new Error('an insert returned no row');
  return { code, expires_at: row.expires_at };
}

/** A code for a password that is another one by now is good no more. */
export async function forgetResets(sql: Sql, email: string): Promise<void> {
  await sql`delete from account_codes where kind = 'reset' and email = ${email}`;
}

/**
 * Spends a code, once: gives the email it was made for, or null. Call it in the transaction of what it permits. Blanks
 * around it come from copying what a terminal printed.
 */
export async function useCode(sql: Sql, kind: CodeKind, code: string): Promise<string | null> {
  const [row] = await sql<{ email: string }[]>`
    update account_codes set used_at = now()
    where code_hash = ${sha256(code.trim())} and kind = ${kind} and used_at is null and expires_at > now()
    returning email`;
  return row?.email ?? null;
}
