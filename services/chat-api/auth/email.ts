import type { Sql } from '#shared/db';
import { isLonger } from '#shared/text';

/** RFC 5321, 4.5.3.1.3 less the angle brackets. */
const LONGEST_EMAIL = 254;

/**
 * How an email is stored and compared: one form for all that looks the same, so in lower case and NFC (RFC 6532, 3.1).
 * Composed last, since letters in lower case may compose where their capitals do not (`J̌`). Σ is ς or σ by its place in a
 * word: both are σ.
 */
export const normalized = (email: string): string => lowered(email).normalize('NFC').replaceAll('ς', 'σ');

const lowered = (email: string): string => email.trim().toLowerCase();

/** Whether an email in its one form is longer than any can be. */
export const isTooLongEmail = (email: string): boolean => isLonger(email, LONGEST_EMAIL);

/**
 * Why this is not an email address, or null: it holds what nobody sees, for instance, which would make a second one of the
 * same looks. Whether it receives mail is nobody's business here.
 */
export function emailProblem(email: string): string | null {
  if (isTooLongEmail(email)) return `The email must have at most ${LONGEST_EMAIL} characters.`;
  const isEmail = /^[^\s@\p{C}\p{DI}]+@[^\s@\p{C}\p{DI}.]+(\.[^\s@\p{C}\p{DI}.]+)+$/u.test(email);
  return isEmail ? null : 'This is not an email address.';
}

/**
 * Which row of `users` an email names, for a `where`: that of its form; but first that of its very letters, since
 * migration 0004 left alone whose form another account had already.
 */
export const namedBy = (sql: Sql, email: string) => sql`
  email in (${normalized(email)}, ${lowered(email)}) order by email = ${lowered(email)} desc limit 1`;
