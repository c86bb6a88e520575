import type { Environment } from '../machine/environment.ts';
import { Refusal } from '../machine/refusal.ts';

/**
 * The user's DATABASE_URL, what it leaves out added from the variables that psql reads (PostgreSQL, libpq, "Environment
 * Variables"). So the services need none of these, and the password of the user's own role goes to none that has its own.
 * @throws {Refusal} when it cannot be read
 */
export function completed(
  url: string,
  { PGHOST = '', PGPORT = '', PGUSER = '', PGPASSWORD = '', PGDATABASE, PGSSLMODE }: Environment,
): string {
  if (!URL.canParse(url)) {
    throw new Refusal('DATABASE_URL is not a URL (postgres://user:password@host:5432/database).');
  }
  const whole = new URL(url);
  if (!whole.hostname && PGHOST.startsWith('/')) {
    throw new Refusal(
      'DATABASE_URL names no host, and PGHOST is a socket, which the services cannot use: name a host.',
    );
  }
  whole.hostname ||= PGHOST.includes(':') ? `[${PGHOST}]` : PGHOST || 'localhost';
  whole.port ||= PGPORT;
  whole.username ||= encodeURIComponent(PGUSER);
  whole.password ||= encodeURIComponent(PGPASSWORD);
  if (whole.pathname.length <= 1) whole.pathname = PGDATABASE || whole.username;
  if (PGSSLMODE && !/[?&]ssl(mode)?=/.test(whole.search)) whole.searchParams.set('sslmode', PGSSLMODE);
  return whole.href;
}

/** postgres.js takes them for what a URL does not say; of an embedded Postgres they say nothing. */
export function forgetPostgresVariables(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name];
}
