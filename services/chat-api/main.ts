import { configOrExit } from '#shared/config';
import { openService } from '#shared/service';
import { createApp } from './app.ts';
import { warnOfPlainHttp } from './auth/cookies.ts';
import { createChangePublisher } from './changes/unpublished/publisher.ts';
import { schema } from './config.ts';
import { createRelay } from './outbox/relay.ts';
import { createPart } from './part.ts';
import { createPurge } from './purge.ts';
import { observeOverdue } from './reminders.ts';

const config = configOrExit(schema);
const isConsuming = config.EVENTS !== 'off';
const service = openService('chat-api', config, {
  sidecar: isConsuming ? 'useful' : 'none',
  publishes: isConsuming,
});
if (isConsuming) observeOverdue(service.sql, service.metrics);
warnOfPlainHttp(service.log, config.PUBLIC_URL);
const committed = config.EVENTS === 'on' ? await startPublishing() : () => {};
service.listen(createApp(service, { committed }));

/** The relay, and what makes events of changes that nobody published. Returns what wakes the relay after a commit. */
async function startPublishing(): Promise<() => void> {
  const relay = createRelay({ ...service, url: config.DATABASE_URL, sidecar: await service.openSidecar() });
  service.defer('relay', relay.close);
  const changes = createChangePublisher({ ...service, committed: relay.wake });
  const jobs = [relay.job, changes.job, createPurge(service)];
  if (config.EVENTS_FILE) {
    const part = createPart(config.EVENTS_FILE, service.log);
    service.run(part.job, ...jobs.map(part.ofPublisher));
  } else {
    service.run(...jobs);
  }
  return relay.wake;
}
