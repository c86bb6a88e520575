import { createAuthenticator } from '#shared/auth';
import { serveOptions } from '#shared/body';
import { createCallers } from '#shared/callers';
import { listOf } from '#shared/config';
import { checkBroker, checkSidecar } from '#shared/dapr';
import { connect } from '#shared/db';
import { createDeadLetterPurge } from '#shared/dead-letters';
import { createLifecycle } from '#shared/lifecycle';
import { createLog } from '#shared/log';
import { createMetrics } from '#shared/metrics';
import { sessionFunctions } from '#shared/sessions';
import { version } from '../../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { createPartitions } from './partitions.ts';

const config = readConfig();
const commit = config.VERSION_COMMIT;
const log = createLog('audit-logger', { level: config.LOG_LEVEL });
const metrics = createMetrics('audit-logger', { version, commit });
const lifecycle = createLifecycle(log, { drainMs: config.DELIVERY_DRAIN_MS });

const sql = connect(config.DATABASE_URL, { name: 'audit-logger', max: config.DATABASE_POOL });
lifecycle.defer('database', () => sql.end({ timeout: 5 }));

const daprd = { port: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN };
const app = createApp({
  place: { host: config.HOST, publicUrl: config.PUBLIC_URL },
  version,
  commit,
  appTokens: [config.APP_API_TOKEN, config.APP_API_TOKEN_PREVIOUS],
  corsOrigins: listOf(config.CORS_ORIGINS),
  sealKey: config.AUDIT_SEAL_KEY,
  longAnswersPerUser: config.LONG_ANSWERS_PER_USER,
  sql,
  authenticator: createAuthenticator({
    lookup: sessionFunctions(sql),
    secrets: [config.JWT_SECRET, config.JWT_SECRET_PREVIOUS],
    publicUrl: config.PUBLIC_URL,
    callers: createCallers(config),
  }),
  ready: { database: () => sql`select 1`, sidecar: () => checkSidecar(daprd) },
  degraded: { broker: () => checkBroker(daprd) },
  log,
  metrics,
});

app.listen({ ...serveOptions, hostname: config.HOST, port: config.PORT });
lifecycle.defer('server', () => app.stop());
lifecycle.defer('deliveries', () => Bun.sleep(config.DELIVERY_DRAIN_MS));

const partitions = createPartitions({ sql, log });
partitions.start();
lifecycle.defer('partitions', partitions.stop);
const deadLetters = createDeadLetterPurge({ sql, appId: 'audit-logger', log });
deadLetters.start();
lifecycle.defer('dead letters', deadLetters.stop);
log.info('listening', { port: app.server?.port });
