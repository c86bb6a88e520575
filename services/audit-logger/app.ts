import { anyEventSchema } from '#shared/events';
import { authenticatorOf, frame, type Parts } from '#shared/frame';
import { createLongAnswers } from '#shared/long-answer';
import type { Config } from './config.ts';
import { createRecorder } from './recorder.ts';
import { trail } from './trail/index.ts';

/** All routes of the audit logger: health, the trail with its docs, and the deliveries of the sidecar. */
export function createApp(parts: Parts<Config>) {
  const { config, sql, log, metrics } = parts;
  const authenticator = authenticatorOf(parts);
  const longAnswers = createLongAnswers({ perUser: config.LONG_ANSWERS_PER_USER, authenticator, log });
  const { record } = createRecorder({ sql, sealKey: config.AUDIT_SEAL_KEY, metrics });
  return frame(parts, {
    authenticator,
    docs: {
      path: '/api/v1/audit',
      title: 'TaskFlow audit trail',
      description: 'Every change of every task: who made it, when, and what it was before and after.',
    },
    // The trail keeps also what this version does not know.
    deliveries: { appId: 'audit-logger', reads: anyEventSchema, handle: record, keepsUnknown: true },
  }).use(trail({ sql, authenticator, longAnswers }));
}
