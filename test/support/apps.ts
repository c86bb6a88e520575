import { createAuthenticator } from '#shared/auth';
import { listOf } from '#shared/config';
import { connect } from '#shared/db';
import { createLog } from '#shared/log';
import { createMetrics } from '#shared/metrics';
import { sessionFunctions } from '#shared/sessions';
import { createApp as createAuditLogger } from '../../services/audit-logger/app.ts';
import { createApp as createChatApi } from '../../services/chat-api/app.ts';
import type { Config } from '../../services/chat-api/config.ts';
import { settings } from '../../services/chat-api/fixtures/app.ts';
import { type AppId, apps, perApp } from '../../services/local/apps.ts';
import { createApp as createNotificationService } from '../../services/notification-service/app.ts';
import { createConnections } from '../../services/notification-service/stream/connections.ts';
import { createApp as createProcessor } from '../../services/recurring-task-processor/app.ts';
import { createApp as createReminderService } from '../../services/reminder-service/app.ts';

/**
 * The five apps as each `main.ts` builds its own, listening in this process, on a database that is away: for what their
 * edge answers by itself. `changed`: settings, of which all but `CORS_ORIGINS`, `HOST` and `PUBLIC_URL` are chat-api's alone.
 */
export function startApps(changed: Partial<Config> = {}) {
  const config = { ...settings, ...changed };
  const log = createLog('test', { write: () => {} });
  const sql = connect('postgres://nobody@127.0.0.1:1/nothing', { name: 'test', max: 1 });
  const closed = sql.end(); // so that each query is refused at once
  const place = { host: config.HOST, publicUrl: config.PUBLIC_URL };
  const about = {
    place,
    version: '0.0.0',
    commit: 'test',
    ready: { database: () => sql`select 1` },
    degraded: {},
    log,
  };
  const corsOrigins = listOf(config.CORS_ORIGINS);
  const events = {
    appTokens: [],
    corsOrigins,
    sql,
    authenticator: createAuthenticator({ lookup: sessionFunctions(sql), secrets: [] }),
  };
  const handle = async () => {};
  const metrics = perApp((appId) => createMetrics(appId, about));
  const connections = createConnections({
    sql,
    limits: { perUser: 3, livePerSecond: 10, maxBehind: 1000, unsentBytes: 1024 },
    heartbeatMs: 30_000,
    log,
    metrics: metrics['notification-service'],
  });

  const built = {
    'chat-api': createChatApi({
      ...about,
      config,
      sql,
      metrics: metrics['chat-api'],
      committed: () => {},
    }),
    'notification-service': createNotificationService({
      ...about,
      ...events,
      connections,
      unsentBytes: 1024,
      handle,
      metrics: metrics['notification-service'],
    }),
    'reminder-service': createReminderService({ ...about, ...events, handle, metrics: metrics['reminder-service'] }),
    'audit-logger': createAuditLogger({ ...about, ...events, sealKey: '', metrics: metrics['audit-logger'] }),
    'recurring-task-processor': createProcessor({ ...about, metrics: metrics['recurring-task-processor'] }),
  } satisfies Record<AppId, object>;
  for (const { appId } of apps) built[appId].listen({ hostname: '127.0.0.1', port: 0 });

  return {
    apps: built,
    portOf: (appId: AppId) => built[appId].server?.port ?? 0,
    async stop(): Promise<void> {
      connections.stop();
      await Promise.all(apps.map(({ appId }) => built[appId].stop(true)));
      await closed;
    },
  };
}
