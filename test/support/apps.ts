import type { TObject } from '@sinclair/typebox';
import { connect } from '#shared/db';
import { createApp as createAuditLogger } from '../../services/audit-logger/app.ts';
import { schema as auditSchema } from '../../services/audit-logger/config.ts';
import { createApp as createChatApi } from '../../services/chat-api/app.ts';
import { type Config, schema as chatSchema } from '../../services/chat-api/config.ts';
import { settings } from '../../services/chat-api/fixture.ts';
import { type AppId, apps, perApp } from '../../services/local/machine/apps.ts';
import { createApp as createNotificationService } from '../../services/notification-service/app.ts';
import { schema as notificationSchema } from '../../services/notification-service/config.ts';
import { createConnections } from '../../services/notification-service/stream/connections.ts';
import { createApp as createProcessor } from '../../services/recurring-task-processor/app.ts';
import { schema as processorSchema } from '../../services/recurring-task-processor/config.ts';
import { createApp as createReminderService } from '../../services/reminder-service/app.ts';
import { schema as reminderSchema } from '../../services/reminder-service/config.ts';
import type { TestDatabase } from './database.ts';
import { partsOf } from './parts.ts';

/**
 * The five apps as each `main.ts` builds its own, listening in this process. Without a database they have one that is
 * away: for what their edge answers by itself. `changed`: settings, of which those of one service are chat-api's alone.
 */
export function startApps(changed: Partial<Config> = {}, database?: TestDatabase) {
  const pools = perApp((appId) =>
    connect(database?.url(appId) ?? 'postgres://nobody@127.0.0.1:1/nothing', {
      name: 'test',
      max: 2,
      publishes: appId === 'chat-api',
    }),
  );
  const close = () => Promise.all(Object.values(pools).map((sql) => sql.end()));
  const closed = database ? undefined : close(); // so that each query is refused at once
  const given = Object.fromEntries(Object.entries(changed).map(([key, value]) => [key, String(value)]));
  const parts = <S extends TObject>(appId: AppId, schema: S) =>
    partsOf(appId, schema, { sql: pools[appId], changed: given });
  const handle = async () => {};
  const notifications = parts('notification-service', notificationSchema);
  const limits = { perUser: 3, livePerSecond: 10, maxBehind: 1000, unsentBytes: 1024 };
  const connections = createConnections({ ...notifications, limits, heartbeatMs: 30_000 });

  const built = {
    'chat-api': createChatApi(
      { ...parts('chat-api', chatSchema), config: { ...settings, ...changed } },
      { committed: () => {} },
    ),
    'notification-service': createNotificationService(notifications, { connections, handle }),
    'reminder-service': createReminderService(parts('reminder-service', reminderSchema), { handle }),
    'audit-logger': createAuditLogger(parts('audit-logger', auditSchema)),
    'recurring-task-processor': createProcessor(parts('recurring-task-processor', processorSchema)),
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
