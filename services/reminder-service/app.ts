import { authenticatorOf, frame, type Parts } from '#shared/frame';
import type { Config } from './config.ts';
import { changeSchema } from './consumer.ts';
import { reminders } from './reminders/index.ts';
import type { Watch } from './watch.ts';

/** All routes of the reminder service: health, its API with docs, and the deliveries of the sidecar. */
export function createApp(parts: Parts<Config>, { handle }: Pick<Watch, 'handle'>) {
  const { sql } = parts;
  const authenticator = authenticatorOf(parts);
  return frame(parts, {
    authenticator,
    docs: {
      path: '/api/v1/reminders',
      title: 'TaskFlow reminders',
      description: 'What will remind you, when, and why.',
    },
    deliveries: { appId: 'reminder-service', reads: changeSchema, handle },
  }).use(reminders({ sql, authenticator }));
}
