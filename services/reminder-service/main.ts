import { createAuthenticator } from '#shared/auth';
import { serveOptions } from '#shared/body';
import { createCallers } from '#shared/callers';
import { listOf } from '#shared/config';
import { checkBroker, checkSidecar, createSidecar } from '#shared/dapr';
import { connect } from '#shared/db';
import { createDeadLetterPurge } from '#shared/dead-letters';
import { createLifecycle } from '#shared/lifecycle';
import { createLog } from '#shared/log';
import { createMetrics } from '#shared/metrics';
import { sessionFunctions } from '#shared/sessions';
import { version } from '../../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { createWatch } from './watch.ts';

const config = readConfig();
const commit = config.VERSION_COMMIT;
const log = createLog('reminder-service', { level: config.LOG_LEVEL });
const metrics = createMetrics('reminder-service', { version, commit });
const lifecycle = createLifecycle(log, { drainMs: config.DELIVERY_DRAIN_MS });

const sql = connect(config.DATABASE_URL, { name: 'reminder-service', max: config.DATABASE_POOL });
lifecycle.defer('database', () => sql.end({ timeout: 5 }));

const daprd = { port: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN };
const sidecar = await createSidecar(daprd);
lifecycle.defer('sidecar', sidecar.stop);

const watch = createWatch({ sql, sidecar, log, metrics });
const app = createApp({
  place: { host: config.HOST, publicUrl: config.PUBLIC_URL },
  version,
  commit,
  appTokens: [config.APP_API_TOKEN, config.APP_API_TOKEN_PREVIOUS],
  corsOrigins: listOf(config.CORS_ORIGINS),
  sql,
  authenticator: createAuthenticator({
    lookup: sessionFunctions(sql),
    secrets: [config.JWT_SECRET, config.JWT_SECRET_PREVIOUS],
    publicUrl: config.PUBLIC_URL,
    callers: createCallers(config),
  }),
  handle: watch.handle,
  ready: { database: () => sql`select 1`, sidecar: () => checkSidecar(daprd) },
  degraded: { broker: () => checkBroker(daprd) },
  log,
  metrics,
});

app.listen({ ...serveOptions, hostname: config.HOST, port: config.PORT });
lifecycle.defer('server', () => app.stop());
// What is delivered now is only written; another replica, or the next start, fires it.
lifecycle.defer('deliveries', () => Bun.sleep(config.DELIVERY_DRAIN_MS));

watch.start();
lifecycle.defer('loops', watch.stop);
const deadLetters = createDeadLetterPurge({ sql, appId: 'reminder-service', log });
deadLetters.start();
lifecycle.defer('dead letters', deadLetters.stop);
log.info('listening', { port: app.server?.port });
