import { createAuthenticator } from '#shared/auth';
import { serveOptions } from '#shared/body';
import { createCallers } from '#shared/callers';
import { listOf } from '#shared/config';
import { checkBroker, checkSidecar } from '#shared/dapr';
import { connect } from '#shared/db';
import { createDeadLetterPurge } from '#shared/dead-letters';
import { createLifecycle } from '#shared/lifecycle';
import { createLog } from '#shared/log';
import { createLoop } from '#shared/loop';
import { createMetrics } from '#shared/metrics';
import { sessionFunctions } from '#shared/sessions';
import { version } from '../../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { createConsumer } from './events.ts';
import { purgeInbox } from './inbox/purge.ts';
import { createConnections } from './stream/connections.ts';
import { createHints } from './stream/hints.ts';
import { endUnauthorized, lookForRows } from './stream/watch.ts';

const config = readConfig();
const commit = config.VERSION_COMMIT;
const log = createLog('notification-service', { level: config.LOG_LEVEL });
const metrics = createMetrics('notification-service', { version, commit });
const lifecycle = createLifecycle(log, { drainMs: Math.max(config.DRAIN_MS, config.DELIVERY_DRAIN_MS) });

const sql = connect(config.DATABASE_URL, { name: 'notification-service', max: config.DATABASE_POOL });
lifecycle.defer('database', () => sql.end({ timeout: 5 }));
const hintSql = connect(config.DATABASE_URL, { name: 'notification-service hints', max: 1 });
lifecycle.defer('hints', () => hintSql.end({ timeout: 1 }));

const authenticator = createAuthenticator({
  lookup: sessionFunctions(sql),
  secrets: [config.JWT_SECRET, config.JWT_SECRET_PREVIOUS],
  publicUrl: config.PUBLIC_URL,
  callers: createCallers(config),
});
const connections = createConnections({
  sql,
  limits: {
    perUser: config.STREAMS_PER_USER,
    livePerSecond: config.STREAM_LIVE_PER_SECOND,
    maxBehind: config.STREAM_MAX_BEHIND,
    unsentBytes: config.STREAM_UNSENT_BYTES,
  },
  heartbeatMs: config.HEARTBEAT_MS,
  log,
  metrics,
});
lifecycle.defer('heartbeats', connections.stop);
const hints = createHints({ sql: hintSql, heard: connections.wakeUpTo, log });
const consumer = createConsumer({ sql, connections, hints, log, metrics });

const daprd = { port: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN };
const app = createApp({
  place: { host: config.HOST, publicUrl: config.PUBLIC_URL },
  version,
  commit,
  appTokens: [config.APP_API_TOKEN, config.APP_API_TOKEN_PREVIOUS],
  corsOrigins: listOf(config.CORS_ORIGINS),
  sql,
  authenticator,
  connections,
  unsentBytes: config.STREAM_UNSENT_BYTES,
  longAnswersPerUser: config.LONG_ANSWERS_PER_USER,
  handle: consumer.handle,
  ready: { database: () => sql`select 1`, sidecar: () => checkSidecar(daprd) },
  degraded: { broker: () => checkBroker(daprd) },
  log,
  metrics,
});

hints.listen();
app.listen({ ...serveOptions, hostname: config.HOST, port: config.PORT });
lifecycle.defer('server', () => app.stop());

const loops = [
  createLoop({
    name: 'rows',
    everyMs: config.LOOK_MS,
    runOnce: () => lookForRows({ sql, connections }),
    log,
  }),
  createLoop({
    name: 'sessions',
    everyMs: config.SESSION_CHECK_MS,
    runOnce: () => endUnauthorized({ sql, connections }, new Date()),
    log,
  }),
  createLoop({
    name: 'purge',
    everyMs: config.PURGE_MS,
    runOnce: () =>
      purgeInbox({ sql, log, readDays: config.INBOX_DAYS, unreadDays: config.INBOX_UNREAD_DAYS }, new Date()),
    log,
  }),
  createDeadLetterPurge({ sql, appId: 'notification-service', log }),
];
for (const loop of loops) {
  loop.start();
  lifecycle.defer('loop', loop.stop);
}
// Streams end spread out while deliveries are still answered and reach those that are left.
lifecycle.defer('streams and deliveries', () =>
  Promise.all([connections.drain(config.DRAIN_MS), Bun.sleep(config.DELIVERY_DRAIN_MS)]),
);
log.info('listening', { port: app.server?.port });
