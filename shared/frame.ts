import type { TSchema } from '@sinclair/typebox';
import { Elysia } from 'elysia';
import { admission } from './admission.ts';
import { type Authenticator, createAuthenticator } from './auth.ts';
import { createCallers } from './callers.ts';
import { type ApiConfig, type BaseConfig, listOf } from './config.ts';
import type { Pool } from './db.ts';
import { edge } from './edge.ts';
import type { Consumer } from './events.ts';
import { type Check, health } from './health.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { apiDocs } from './openapi.ts';
import { requests } from './requests.ts';
import { sessionFunctions } from './sessions.ts';
import { subscribe } from './subscribe.ts';

export type AppId = Consumer | 'recurring-task-processor';

/** What an app is made of. `openService` opens it; tests put it together themselves. */
export interface Parts<C extends BaseConfig = BaseConfig & Partial<ApiConfig>> {
  appId: AppId;
  version: string;
  config: Readonly<C>;
  sql: Pool;
  log: Log;
  metrics: Metrics;
  /** Without these the service is not ready; without the others it is degraded (`health`). */
  ready: Record<string, Check>;
  degraded: Record<string, Check>;
}

type Deliveries<Reads extends TSchema> = Omit<
  Parameters<typeof subscribe<Reads>>[0],
  'appTokens' | 'sql' | 'log' | 'metrics' | 'now'
>;

/**
 * The app of a service without its own routes: the edge, what is measured and logged of each request, health, docs and the
 * deliveries of the sidecar. Use it first: hooks that come later miss earlier routes. Of these an app has what it names:
 *
 * `authenticator`: people and programs call it. `open`: paths for who has no login yet.
 */
export function frame<Reads extends TSchema>(
  { appId, version, config, sql, log, metrics, ready, degraded }: Parts,
  {
    authenticator,
    open,
    docs,
    deliveries,
  }: {
    authenticator?: Authenticator;
    open?: string[];
    docs?: { path: string; title: string; description: string };
    deliveries?: Deliveries<Reads> | undefined;
  } = {},
) {
  const appTokens = appTokensOf(config);
  return edge({
    log,
    place: { host: config.HOST, publicUrl: config.PUBLIC_URL },
    ...(authenticator && { corsOrigins: listOf(config.CORS_ORIGINS) }),
    admit: admission({ appTokens, ...(authenticator && { authenticator }), ...(open && { open }) }),
  })
    .use(requests({ log, metrics }))
    .use(health({ service: appId, version, commit: config.VERSION_COMMIT, ready, degraded, metrics }))
    .use(docs ? apiDocs({ ...docs, version }) : new Elysia())
    .use(deliveries ? subscribe({ ...deliveries, appTokens, sql, log, metrics }) : new Elysia());
}

/** Who calls an app, by its settings. `more`: what one of them has alone. */
export const authenticatorOf = (
  { config, sql }: Pick<Parts<BaseConfig & ApiConfig>, 'config' | 'sql'>,
  more: Partial<Parameters<typeof createAuthenticator>[0]> = {},
): Authenticator =>
  createAuthenticator({
    lookup: sessionFunctions(sql),
    secrets: [config.JWT_SECRET, config.JWT_SECRET_PREVIOUS],
    appTokens: appTokensOf(config),
    publicUrl: config.PUBLIC_URL,
    callers: createCallers(config),
    ...more,
  });

const appTokensOf = ({ APP_API_TOKEN = '', APP_API_TOKEN_PREVIOUS = '' }: Partial<ApiConfig>): string[] => [
  APP_API_TOKEN,
  APP_API_TOKEN_PREVIOUS,
];
