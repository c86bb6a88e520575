import { admission } from '#shared/admission';
import type { Authenticator } from '#shared/auth';
import type { Sql } from '#shared/db';
import { edge } from '#shared/edge';
import { type AnyEvent, anyEventSchema } from '#shared/events';
import { type Check, health } from '#shared/health';
import type { Place } from '#shared/host';
import type { Log } from '#shared/log';
import { createLongAnswers } from '#shared/long-answer';
import type { Metrics } from '#shared/metrics';
import { apiDocs } from '#shared/openapi';
import { subscribe } from '#shared/subscribe';
import { inbox } from './inbox/index.ts';
import { preferences } from './preferences/index.ts';
import type { Connections } from './stream/connections.ts';
import { stream } from './stream/index.ts';

/** All routes of the notification service: health, docs, inbox, preferences, the stream and the sidecar's deliveries. */
export const createApp = ({
  place,
  version,
  commit,
  appTokens,
  corsOrigins,
  sql,
  authenticator,
  connections,
  unsentBytes,
  longAnswersPerUser,
  handle,
  ready,
  degraded,
  log,
  metrics,
}: {
  place: Place;
  version: string;
  commit: string;
  appTokens: string[];
  corsOrigins: string[];
  sql: Sql;
  authenticator: Authenticator;
  connections: Connections;
  unsentBytes: number;
  longAnswersPerUser: number;
  handle: (event: AnyEvent, traceparent: string | null) => Promise<void>;
  ready: Record<string, Check>;
  degraded: Record<string, Check>;
  log: Log;
  metrics: Metrics;
}) =>
  edge({ log, place, corsOrigins, admit: admission({ authenticator, appTokens }) })
    .use(health({ service: 'notification-service', version, commit, ready, degraded, metrics }))
    .use(
      apiDocs({
        path: '/api/v1/notifications',
        title: 'TaskFlow notifications',
        description: 'Live notifications, the inbox they come from, and what each person wants to be told.',
        version,
      }),
    )
    // The inbox keeps also types that a later version adds: its clients may know them.
    .use(
      subscribe({
        appId: 'notification-service',
        appTokens,
        sql,
        reads: anyEventSchema,
        handle,
        handleUnknown: handle,
        log,
        metrics,
      }),
    )
    .use(stream({ sql, authenticator, connections, unsentBytes }))
    .use(preferences({ sql, authenticator, connections }))
    .use(
      inbox({
        sql,
        authenticator,
        longAnswers: createLongAnswers({ perUser: longAnswersPerUser, authenticator, log }),
      }),
    );
