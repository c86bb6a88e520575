import { Elysia } from 'elysia';
import { createAddressOf, createTrust } from '#shared/address';
import type { Authenticator } from '#shared/auth';
import { listOf } from '#shared/config';
import { authenticatorOf, frame, type Parts } from '#shared/frame';
import { createLongAnswers } from '#shared/long-answer';
import { createWindow } from '#shared/rate-limit';
import { createCookies } from './auth/cookies.ts';
import { authRoutes, loginRoutes } from './auth/index.ts';
import { createLimits } from './auth/limits.ts';
import { sessionTables } from './auth/live-sessions.ts';
import { createPasswords } from './auth/passwords.ts';
import { createAccounts } from './auth/service.ts';
import { markUsed } from './auth/sessions.ts';
import type { Config } from './config.ts';
import { phase4TaskRoutes } from './phase4/index.ts';
import { createReminderConsumer, triggeredSchema } from './reminders.ts';
import { settingsRoutes } from './settings/index.ts';
import { taskRoutes } from './tasks/index.ts';

/** What is for who has no access token yet, or no longer. */
const forStrangers = ['signup', 'login', 'refresh', 'password/reset'].map((name) => `/api/v1/auth/${name}`);

/**
 * All routes of chat-api. With EVENTS=off those of Phase IV, and no column of Phase V in any statement. `committed` is called
 * after each commit that wrote an event.
 */
export function createApp(parts: Parts<Config>, { committed }: { committed: () => void }) {
  const { config, version, sql, log } = parts;
  const isPhase4 = config.EVENTS === 'off';
  const authenticator = authenticatorOf(parts, {
    lookup: sessionTables(sql),
    serviceTokens: [config.SERVICE_TOKEN, config.SERVICE_TOKEN_PREVIOUS],
    sessionUsed: notingUse(parts),
  });
  const auth = authDeps(parts, { isPhase4, authenticator });
  const longAnswers = createLongAnswers({ perUser: config.LONG_ANSWERS_PER_USER, authenticator, log });
  const tasks = { sql, authenticator, longAnswers };

  return frame(parts, {
    authenticator,
    open: forStrangers,
    docs: {
      path: '/api/v1',
      title: 'TaskFlow',
      description:
        'Accounts and tasks. Each other service has a document of its own: `/api/v1/notifications/openapi.json`, `/api/v1/audit/openapi.json` and `/api/v1/reminders/openapi.json`.',
    },
    deliveries: isPhase4
      ? undefined
      : { appId: 'chat-api', reads: triggeredSchema, handle: createReminderConsumer({ sql, log }) },
  })
    .get('/health', () => ({ status: 'healthy', version }))
    .get('/api/v1/health', () => ({ status: 'healthy', version }), { detail: { hide: true } })
    .use(loginRoutes(auth))
    .use(authRoutes(auth))
    .use(
      isPhase4
        ? phase4TaskRoutes(tasks)
        : phase5Routes({ ...tasks, tasksPerUser: config.TASKS_PER_USER, committed, log }),
    );
}

/** A statement a minute for each session in use, and none for the calls between. */
function notingUse({ sql, log }: Pick<Parts, 'sql' | 'log'>): (sid: string) => void {
  const noted = createWindow({ limit: 1, windowMs: 60_000 });
  return (sid) => {
    if (!noted.take(sid, Date.now()).ok) return;
    void markUsed(sql, sid).catch((error: unknown) => log.warn('use of a session not noted', { sid, error }));
  };
}

const phase5Routes = (deps: Parameters<typeof taskRoutes>[0]) =>
  new Elysia().use(settingsRoutes(deps)).use(taskRoutes(deps));

function authDeps(
  { config, sql, log }: Parts<Config>,
  { isPhase4, authenticator }: { isPhase4: boolean; authenticator: Authenticator },
) {
  const { PUBLIC_URL: publicUrl, ACCESS_TOKEN_SECONDS: accessSeconds, REFRESH_TOKEN_SECONDS: refreshSeconds } = config;
  const isTrusted = createTrust(listOf(config.TRUSTED_PROXIES));
  return {
    sql,
    authenticator,
    accounts: createAccounts({
      sql,
      passwords: createPasswords(),
      signup: config.SIGNUP,
      adminEmails: listOf(config.ADMIN_EMAILS),
      refreshSeconds,
      isPhase4,
      log,
    }),
    limits: createLimits({
      loginFailures: config.LOGIN_FAILURES,
      accountFailures: config.ACCOUNT_FAILURES,
      addressAttempts: config.ADDRESS_ATTEMPTS,
      addressLogins: config.ADDRESS_LOGINS,
      addressRefreshes: config.ADDRESS_REFRESHES,
    }),
    cookies: createCookies({ publicUrl, accessSeconds, refreshSeconds }),
    addressOf: createAddressOf({ isTrusted, publicUrl, log }),
    apiTokensPerUser: config.API_TOKENS_PER_USER,
    jwtSecret: config.JWT_SECRET,
    accessSeconds,
    publicUrl,
  };
}
