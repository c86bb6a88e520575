import { join } from 'node:path';
import { isDatabaseUrl } from '#shared/config';
import { consumers } from '#shared/events';
import { applyGrants, migrate, roleOf, setRolePasswords, unknownMigrations } from './migrate.ts';

// What `gitops/base/migration` runs before every sync, as /app/migrate.js of chat-api's image: schema, grants, and the password
// of each service's role. Forward only, and nothing to do most of the time.

/** Below the Job's `activeDeadlineSeconds`, so that the log says why it ended. */
export const LIMIT_MS = 50_000;

export const appIds = [...Object.keys(consumers), 'recurring-task-processor'];

/** A setting that the Job cannot work with. The message names it, and shows no secret. */
class SettingError extends Error {
  override name = 'SettingError';
}

/**
 * Brings the database to this image's schema and lets each service log in with its password. A schema that is ahead is left as
 * it is, grants and passwords too: the versions that need them may be running.
 */
async function prepare(url: string, passwords: Record<string, string>): Promise<object> {
  const unknown = await unknownMigrations(url);
  if (unknown.length > 0) return { message: 'the schema is ahead of this image and stays as it is', names: unknown };
  const names = await migrate(url);
  const leftToPublic = await applyGrants(url);
  await setRolePasswords(url, passwords);
  return {
    message: 'migrated',
    names,
    ...(leftToPublic.length > 0 && { owner_must_revoke_from_public: leftToPublic }),
  };
}

/** From one file for each service, as the Secret of their URLs is mounted. @throws {SettingError} */
async function readPasswords(folder: string): Promise<Record<string, string>> {
  const passwords: Record<string, string> = {};
  for (const appId of appIds) {
    const file = join(folder, appId);
    const text = await Bun.file(file)
      .text()
      .catch(() => '');
    const url = URL.parse(text.trim());
    if (url?.username !== roleOf(appId) || url.password === '' || !isDatabaseUrl(url.href))
      throw new SettingError(`${file}: must be postgres://${roleOf(appId)}:password@host/database, with %25 for a %`);
    passwords[appId] = decodeURIComponent(url.password);
  }
  return passwords;
}

/** With what the server does should this process be gone: a statement that nobody waits for holds its locks no longer. */
function bounded(url: string | undefined): string {
  const own = URL.parse(url ?? '');
  if (!own || !isDatabaseUrl(own.href)) throw new SettingError('DATABASE_URL: must be postgres://…, with %25 for a %');
  own.searchParams.set('statement_timeout', String(LIMIT_MS));
  return own.href;
}

async function run({ DATABASE_URL, DATABASE_URLS }: Record<string, string | undefined>): Promise<object> {
  if (!DATABASE_URLS) throw new SettingError('DATABASE_URLS: must name the folder of the services’ URLs');
  return prepare(bounded(DATABASE_URL), await readPasswords(DATABASE_URLS));
}

function end(exitCode: number, line: object): never {
  console.log(JSON.stringify({ time: new Date().toISOString(), service: 'migration', ...line }));
  process.exit(exitCode);
}

if (import.meta.main) {
  // As the first process of a container it gets no signal that it does not ask for.
  process.on('SIGTERM', () => end(1, { message: 'stopped before it was done' }));
  setTimeout(() => end(1, { message: 'not done in time: what holds its locks?', seconds: LIMIT_MS / 1000 }), LIMIT_MS);
  try {
    end(0, await run(Bun.env));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    end(error instanceof SettingError ? 2 : 1, { message: 'not migrated', reason });
  }
}
