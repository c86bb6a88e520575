import type { Received } from '#shared/decide';
import { anyEventSchema } from '#shared/events';
import { authenticatorOf, frame, type Parts } from '#shared/frame';
import { createLongAnswers } from '#shared/long-answer';
import type { Config } from './config.ts';
import { inbox } from './inbox/index.ts';
import { preferences } from './preferences/index.ts';
import type { Connections } from './stream/connections.ts';
import { stream } from './stream/index.ts';

/** All routes of the notification service: health, docs, inbox, preferences, the stream and the sidecar's deliveries. */
export function createApp(
  parts: Parts<Config>,
  {
    connections,
    handle,
    unreadSeconds,
  }: { connections: Connections; handle: (batch: Received[]) => Promise<void>; unreadSeconds?: number },
) {
  const { config, sql, log } = parts;
  const authenticator = authenticatorOf(parts);
  const longAnswers = createLongAnswers({ perUser: config.LONG_ANSWERS_PER_USER, authenticator, log });
  return frame(parts, {
    authenticator,
    docs: {
      path: '/api/v1/notifications',
      title: 'TaskFlow notifications',
      description: 'Live notifications, the inbox they come from, and what each person wants to be told.',
    },
    // The inbox keeps also types that a later version adds: its clients may know them.
    deliveries: { appId: 'notification-service', reads: anyEventSchema, handle, keepsUnknown: true },
  })
    .use(
      stream({
        sql,
        authenticator,
        connections,
        unsentBytes: config.STREAM_UNSENT_BYTES,
        ...(unreadSeconds !== undefined && { unreadSeconds }),
      }),
    )
    .use(preferences({ sql, authenticator, changed: connections.setLevel }))
    .use(inbox({ sql, authenticator, longAnswers }));
}
