import { configOrExit } from '#shared/config';
import { connect } from '#shared/db';
import { openService } from '#shared/service';
import { createApp } from './app.ts';
import { schema } from './config.ts';
import { createAppend } from './inbox/append.ts';
import { createChannels } from './inbox/channels.ts';
import { purgeInbox } from './inbox/purge.ts';
import { createConnections } from './stream/connections.ts';
import { endUnauthorized, lookForRows } from './stream/watch.ts';

const config = configOrExit(schema);
const service = openService('notification-service', config, { drainMs: config.DRAIN_MS });
const { sql, log } = service;
const hintSql = connect(config.DATABASE_URL, { name: 'notification-service hints', max: 1 });
service.defer('hints', () => hintSql.end({ timeout: 1 }));

const limits = {
  perUser: config.STREAMS_PER_USER,
  livePerSecond: config.STREAM_LIVE_PER_SECOND,
  maxBehind: config.STREAM_MAX_BEHIND,
  unsentBytes: config.STREAM_UNSENT_BYTES,
};
const connections = createConnections({ ...service, limits, heartbeatMs: config.HEARTBEAT_MS });
service.defer('heartbeats', connections.stop);
const channels = createChannels({ sql: hintSql, log });
channels.register(connections);
const handle = createAppend({ ...service, grown: channels.grown });
const kept = { readDays: config.INBOX_DAYS, unreadDays: config.INBOX_UNREAD_DAYS };

channels.listen();
service.run(
  { name: 'rows', everyMs: config.LOOK_MS, runOnce: () => lookForRows({ sql, connections }) },
  {
    name: 'sessions',
    everyMs: config.SESSION_CHECK_MS,
    runOnce: () => endUnauthorized({ sql, connections }, new Date()),
  },
  { name: 'purge', everyMs: config.PURGE_MS, runOnce: () => purgeInbox({ sql, log, ...kept }, new Date()) },
);
// Streams end spread out while deliveries are still answered and reach those that are left.
service.listen(createApp(service, { connections, handle }), () => connections.drain(config.DRAIN_MS));
