import { createAuthenticator } from '#shared/auth';
import { createCallers } from '#shared/callers';
import { listOf } from '#shared/config';
import { connect } from '#shared/db';
import { createLog } from '#shared/log';
import { createMetrics } from '#shared/metrics';
import { sessionFunctions } from '#shared/sessions';
import { createApp as createAuditLogger } from '../../services/audit-logger/app.ts';
import { createApp as createChatApi } from '../../services/chat-api/app.ts';
import type { Config } from '../../services/chat-api/config.ts';
import { settings } from '../../services/chat-api/fixture.ts';
import { type AppId, apps, perApp } from '../../services/local/machine/apps.ts';
import { createApp as createNotificationService } from '../../services/notification-service/app.ts';
import { createConnections } from '../../services/notification-service/stream/connections.ts';
import { createApp as createProcessor } from '../../services/recurring-task-processor/app.ts';
import { createApp as createReminderService } from '../../services/reminder-service/app.ts';
import type { TestDatabase } from './database.ts';

/**
 * The five apps as each `main.ts` builds its own, listening in this process. Without a database they have one that is
 * away: for what their edge answers by itself. `changed`: settings, of which those of one service are chat-api's alone.
 */
export function startApps(changed: Partial<Config> = {}, database?: TestDatabase) {
  const config = { ...settings, ...changed };
  const log = createLog('test', { write: () => {} });
  const pools = perApp((appId) =>
    connect(database?.url(appId) ?? 'postgres://nobody@127.0.0.1:1/nothing', {
      name: 'test',
      max: 2,
      publishes: appId === 'chat-api',
    }),
  );
  const close = () => Promise.all(Object.values(pools).map((sql) => sql.end()));
  const closed = database ? undefined : close(); // so that each query is refused at once
  const place = { host: config.HOST, publicUrl: config.PUBLIC_URL };
  const metrics = perApp((appId) => createMetrics(appId, { version: '0.0.0', commit: 'test' }));
  const about = (appId: AppId) => ({
    place,
    version: '0.0.0',
    commit: 'test',
    ready: { database: () => pools[appId]`select 1` },
    degraded: {},
    log,
    metrics: metrics[appId],
  });
  const api = (appId: AppId) => ({
    ...about(appId),
    appTokens: [config.APP_API_TOKEN],
    corsOrigins: listOf(config.CORS_ORIGINS),
    sql: pools[appId],
    authenticator: createAuthenticator({
      lookup: sessionFunctions(pools[appId]),
      secrets: [config.JWT_SECRET],
      publicUrl: config.PUBLIC_URL,
      callers: createCallers(config),
    }),
  });
  const handle = async () => {};
  const connections = createConnections({
    sql: pools['notification-service'],
    limits: { perUser: 3, livePerSecond: 10, maxBehind: 1000, unsentBytes: 1024 },
    heartbeatMs: 30_000,
    log,
    metrics: metrics['notification-service'],
  });

  const built = {
    'chat-api': createChatApi({ ...about('chat-api'), config, sql: pools['chat-api'], committed: () => {} }),
    'notification-service': createNotificationService({
      ...api('notification-service'),
      connections,
      unsentBytes: 1024,
      longAnswersPerUser: 4,
      handle,
    }),
    'reminder-service': createReminderService({ ...api('reminder-service'), handle }),
    'audit-logger': createAuditLogger({ ...api('audit-logger'), sealKey: '', longAnswersPerUser: 4 }),
    'recurring-task-processor': createProcessor(about('recurring-task-processor')),
  } satisfies Record<AppId, object>;
  for (const { appId } of apps) built[appId].listen({ hostname: '127.0.0.1', port: 0 });

  return {
    apps: built,
    portOf: (appId: AppId) => built[appId].server?.port ?? 0,
    async stop(): Promise<void> {
      connections.stop();
      await Promise.all(apps.map(({ appId }) => built[appId].stop(true)));
      await (closed ?? close());
    },
  };
}
