import { Type as t } from '@sinclair/typebox';
import { apiConfig, baseConfig, longAnswerConfig } from '#shared/config';
import { EVENTS_KEPT_DAYS } from '#shared/retention';

/** The settings of the notification service. */
export const schema = t.Object({
  ...baseConfig,
  ...apiConfig,
  ...longAnswerConfig,
  PORT: t.Integer({ ...baseConfig.PORT, default: 8001 }),
  STREAMS_PER_USER: t.Integer({ default: 3, minimum: 1, description: 'open streams of one user in this replica' }),
  STREAM_LIVE_PER_SECOND: t.Integer({
    default: 10,
    minimum: 1,
    description: 'live notifications a second on one stream; above, it falls behind and catches up from the inbox',
  }),
  STREAM_MAX_BEHIND: t.Integer({
    default: 1000,
    minimum: 1,
    description: 'rows a live stream may be behind before it jumps to the newest after a stream.gap',
  }),
  STREAM_UNSENT_BYTES: t.Integer({
    default: 262_144,
    minimum: 16_384,
    description: 'bytes a client may leave unread, beyond what the kernel holds, before its stream is ended',
  }),
  HEARTBEAT_MS: t.Integer({
    default: 30_000,
    minimum: 100,
    description: 'between two comment lines; proxies cut what is silent for 60 s',
  }),
  LOOK_MS: t.Integer({
    default: 1500,
    minimum: 50,
    description: 'between two looks for rows that other replicas wrote and whose hint was lost',
  }),
  SESSION_CHECK_MS: t.Integer({
    default: 800,
    minimum: 50,
    description: 'between two looks at the sessions of open streams; with the query below the promised second',
  }),
  INBOX_DAYS: t.Integer({
    default: EVENTS_KEPT_DAYS,
    minimum: 1,
    description: 'how many days read rows are kept; as long as the topics keep events',
  }),
  INBOX_UNREAD_DAYS: t.Integer({ default: 30, minimum: 1, description: 'how many days unread rows are kept' }),
  PURGE_MS: t.Integer({ default: 3_600_000, minimum: 1000, description: 'between two purges of the inbox' }),
});

export type Config = typeof schema.static;
