import { admission } from '#shared/admission';
import { type Authenticator } from '#shared/auth';
import type { Sql } from '#shared/db';
import { edge } from '#shared/edge';
import { type Check, health } from '#shared/health';
import type { Place } from '#shared/host';
import type { Log } from '#shared/log';
import type { Metrics } from '#shared/metrics';
import { apiDocs } from '#shared/openapi';
import { subscribe } from '#shared/subscribe';
import { type ChangeEvent, changeSchema } from './events.ts';
import { reminders } from './reminders/index.ts';

/** All routes of the reminder service: health, its API with docs, and the deliveries of the sidecar. */
export const createApp = ({
  place,
  version,
  commit,
  appTokens,
  corsOrigins,
  sql,
  authenticator,
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
  handle: (event: ChangeEvent, traceparent: string | null) => Promise<void>;
  ready: Record<string, Check>;
  degraded: Record<string, Check>;
  log: Log;
  metrics: Metrics;
}) =>
  edge({ log, place, corsOrigins, admit: admission({ authenticator, appTokens }) })
    .use(health({ service: 'reminder-service', version, commit, ready, degraded, metrics }))
    .use(
      apiDocs({
        path: '/api/v1/reminders',
        title: 'TaskFlow reminders',
        description: 'What will remind you, when, and why.',
        version,
      }),
    )
    .use(subscribe({ appId: 'reminder-service', appTokens, sql, reads: changeSchema, handle, log, metrics }))
    .use(reminders({ sql, authenticator }));
