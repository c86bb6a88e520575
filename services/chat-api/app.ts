import { Elysia } from 'elysia';
import { admission } from '#shared/admission';
import { createAuthenticator } from '#shared/auth';
import { createCallers } from '#shared/callers';
import { listOf } from '#shared/config';
import type { Pool } from '#shared/db';
import { edge } from '#shared/edge';
import { type Check, health } from '#shared/health';
import type { Log } from '#shared/log';
import { createLongAnswers } from '#shared/long-answer';
import type { Metrics } from '#shared/metrics';
import { apiDocs } from '#shared/openapi';
import { createWindow } from '#shared/rate-limit';
import { subscribe } from '#shared/subscribe';
import { createAddressOf, createTrust } from '#shared/address';
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

interface Deps {
  config: Config;
  version: string;
  sql: Pool;
  log: Log;
  metrics: Metrics;
  /** Called after each commit that wrote an event. */
  committed: () => void;
  degraded: Record<string, Check>;
}

/** What is for who has no access token yet, or no longer. */
const forStrangers = ['signup', 'login', 'refresh', 'password/reset'].map((name) => `/api/v1/auth/${name}`);

/** All routes of chat-api. With EVENTS=off those of Phase IV, and no column of Phase V in any statement. */
export function createApp({ config, version, sql, log, metrics, committed, degraded }: Deps) {
  const isPhase4 = config.EVENTS === 'off';
  const appTokens = [config.APP_API_TOKEN, config.APP_API_TOKEN_PREVIOUS];
  const authenticator = createAuthenticator({
    lookup: sessionTables(sql),
    secrets: [config.JWT_SECRET, config.JWT_SECRET_PREVIOUS],
    serviceTokens: [config.SERVICE_TOKEN, config.SERVICE_TOKEN_PREVIOUS],
    appTokens,
    publicUrl: config.PUBLIC_URL,
    sessionUsed: notingUse({ sql, log }),
    callers: createCallers(config),
  });
  const auth = authDeps({ config, sql, log, isPhase4, authenticator });
  const longAnswers = createLongAnswers({ perUser: config.LONG_ANSWERS_PER_USER, authenticator, log });
  const tasks = { sql, authenticator, longAnswers };

  return edge({
    log,
    place: { host: config.HOST, publicUrl: config.PUBLIC_URL },
    corsOrigins: listOf(config.CORS_ORIGINS),
    admit: admission({ authenticator, appTokens, open: forStrangers }),
    invalid: codeOfInvalid,
  })
    .use(
      health({
        service: 'chat-api',
        version,
        commit: config.VERSION_COMMIT,
        ready: { database: () => sql`select 1` },
        degraded,
        metrics,
      }),
    )
    .get('/health', () => ({ status: 'healthy', version }))
    .use(
      apiDocs({
        path: '/api/v1',
        title: 'TaskFlow',
        description:
          'Accounts and tasks. Each other service has a page of its own: `/api/v1/notifications/docs`, `/api/v1/audit/docs` and `/api/v1/reminders/docs`.',
        version,
      }),
    )
    .get('/api/v1/health', () => ({ status: 'healthy', version }), { detail: { hide: true } })
    .use(loginRoutes(auth))
    .use(authRoutes(auth))
    .use(
      isPhase4
        ? phase4TaskRoutes(tasks)
        : phase5Routes({ ...tasks, tasksPerUser: config.TASKS_PER_USER, committed, log }),
    )
    .use(isPhase4 ? new Elysia() : reminderDeliveries({ appTokens, sql, log, metrics }));
}

/** A statement a minute for each session in use, and none for the calls between. */
function notingUse({ sql, log }: Pick<Deps, 'sql' | 'log'>): (sid: string) => void {
  const noted = createWindow({ limit: 1, windowMs: 60_000 });
  return (sid) => {
    if (!noted.take(sid, Date.now()).ok) return;
    void markUsed(sql, sid).catch((error: unknown) => log.warn('use of a session not noted', { sid, error }));
  };
}

const phase5Routes = (deps: Parameters<typeof taskRoutes>[0]) =>
  new Elysia().use(settingsRoutes(deps)).use(taskRoutes(deps));

const reminderDeliveries = ({
  appTokens,
  sql,
  log,
  metrics,
}: Pick<Deps, 'sql' | 'log' | 'metrics'> & { appTokens: string[] }) =>
  subscribe({
    appId: 'chat-api',
    appTokens,
    sql,
    reads: triggeredSchema,
    handle: createReminderConsumer({ sql, log }),
    log,
    metrics,
  });

function authDeps({
  config,
  sql,
  log,
  isPhase4,
  authenticator,
}: Pick<Deps, 'config' | 'sql' | 'log'> & {
  isPhase4: boolean;
  authenticator: ReturnType<typeof createAuthenticator>;
}) {
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

/** The code of a body that is malformed or fails its schema (CONTRACT 4). */
function codeOfInvalid({ method, url }: Request): string {
  const path = new URL(url).pathname.replace(/^\/api\/v1|\/$/g, '');
  if (path === '/auth/signup') return 'SIGNUP_ERROR';
  if (path.startsWith('/auth/password')) return 'PASSWORD_ERROR';
  if (path.startsWith('/settings')) return 'SETTINGS_ERROR';
  if (method === 'POST' && /^\/tasks(\/batch)?$/.test(path)) return 'TASK_CREATION_ERROR';
  if (method !== 'GET' && path.startsWith('/tasks/')) return 'TASK_UPDATE_ERROR';
  return 'VALIDATION_ERROR';
}
