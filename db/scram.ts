import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** As PostgreSQL itself makes them (`scram_iterations`). */
const ITERATIONS = 4096;

/**
 * What a server keeps of a password (RFC 5803; PostgreSQL, `pg_authid.rolpassword`), and takes in its place: as psql's
 * `\password`, so that the password stands in no statement, which a server may log. For ASCII, as our secrets are, and text
 * that SASLprep (RFC 4013) leaves as it is.
 */
export function scramVerifier(password: string, salt = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${keyed('Server Key').toString('base64')}`;
}
