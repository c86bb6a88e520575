import { admission } from '#shared/admission';
import type { Authenticator } from '#shared/auth';
import type { Sql } from '#shared/db';
import { edge } from '#shared/edge';
import { anyEventSchema } from '#shared/events';
import { type Check, health } from '#shared/health';
import type { Place } from '#shared/host';
import type { Log } from '#shared/log';
import { createLongAnswers } from '#shared/long-answer';
import type { Metrics } from '#shared/metrics';
import { apiDocs } from '#shared/openapi';
import { subscribe } from '#shared/subscribe';
import { createRecorder } from './events.ts';
import { trail } from './trail/index.ts';

/** All routes of the audit logger: health, the trail with its docs, and the deliveries of the sidecar. */
export function createApp({
  place,
  version,
  commit,
  appTokens,
  corsOrigins,
  sealKey,
  longAnswersPerUser,
  sql,
  authenticator,
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
  sealKey: string;
  longAnswersPerUser: number;
  sql: Sql;
  authenticator: Authenticator;
  ready: Record<string, Check>;
  degraded: Record<string, Check>;
  log: Log;
  metrics: Metrics;
}) {
  const { record } = createRecorder({ sql, sealKey, metrics });
  return (
    edge({ log, place, corsOrigins, admit: admission({ authenticator, appTokens }) })
      .use(health({ service: 'audit-logger', version, commit, ready, degraded, metrics }))
      .use(
        apiDocs({
          path: '/api/v1/audit',
          title: 'TaskFlow audit trail',
          description: 'Every change of every task: who made it, when, and what it was before and after.',
          version,
        }),
      )
      // The trail keeps also what this version does not know.
      .use(
        subscribe({
          appId: 'audit-logger',
          appTokens,
          sql,
          reads: anyEventSchema,
          handle: record,
          handleUnknown: record,
          log,
          metrics,
        }),
      )
      .use(
        trail({
          sql,
          authenticator,
          longAnswers: createLongAnswers({ perUser: longAnswersPerUser, authenticator, log }),
        }),
      )
  );
}
