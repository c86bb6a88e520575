import { serveOptions } from '#shared/body';
import { checkBroker, checkSidecar, createSidecar } from '#shared/dapr';
import { connect } from '#shared/db';
import { createDeadLetterPurge } from '#shared/dead-letters';
import { createLifecycle } from '#shared/lifecycle';
import { createLog } from '#shared/log';
import { isLoopback } from '#shared/loopback';
import { createMetrics } from '#shared/metrics';
import { version } from '../../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { createChangePublisher } from './changes/unpublished/publisher.ts';
import { readConfig } from './config.ts';
import { createRelay } from './outbox/relay.ts';
import { createPurge } from './purge.ts';

const config = readConfig();
const log = createLog('chat-api', { level: config.LOG_LEVEL });
const metrics = createMetrics('chat-api', { version, commit: config.VERSION_COMMIT });
const lifecycle = createLifecycle(log, { drainMs: config.DELIVERY_DRAIN_MS });
const isPublishing = config.EVENTS === 'on';
const isConsuming = config.EVENTS !== 'off';
warnOfPlainHttp(config.PUBLIC_URL);

const sql = connect(config.DATABASE_URL, { name: 'chat-api', max: config.DATABASE_POOL, publishes: isConsuming });
lifecycle.defer('database', () => sql.end({ timeout: 5 }));

const daprd = { port: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN };
const committed = isPublishing ? await startPublishing() : () => {};

const app = createApp({
  config,
  version,
  sql,
  log,
  metrics,
  committed,
  degraded: isConsuming ? { sidecar: () => checkSidecar(daprd), broker: () => checkBroker(daprd) } : {},
});
app.listen({ ...serveOptions, hostname: config.HOST, port: config.PORT });
lifecycle.defer('server', () => app.stop());
if (isConsuming) startConsuming();
log.info('listening', { port: app.server?.port, events: config.EVENTS });

/** The relay, and what makes events of changes that nobody published. Returns what wakes the relay after a commit. */
async function startPublishing(): Promise<() => void> {
  const sidecar = await createSidecar(daprd);
  lifecycle.defer('sidecar', sidecar.stop);
  const relay = createRelay({ url: config.DATABASE_URL, sidecar, log, metrics });
  relay.start();
  lifecycle.defer('relay', relay.stop);
  const changes = createChangePublisher({ sql, log, metrics, committed: relay.wake });
  changes.start();
  lifecycle.defer('changes', changes.stop);
  const purge = createPurge({ sql, log });
  purge.start();
  lifecycle.defer('purge', purge.stop);
  return relay.wake;
}

/** Reminders are delivered to the app; here is what goes on beside it. */
function startConsuming(): void {
  const deadLetters = createDeadLetterPurge({ sql, appId: 'chat-api', log });
  deadLetters.start();
  lifecycle.defer('dead letters', deadLetters.stop);
  lifecycle.defer('deliveries', () => Bun.sleep(config.DELIVERY_DRAIN_MS));
}

/** Cookies without `Secure` are for one's own machine (CONTRACT 3). */
function warnOfPlainHttp(publicUrl: string): void {
  if (!publicUrl.startsWith('http:')) return;
  const { hostname } = new URL(publicUrl);
  if (isLoopback(hostname)) return;
  log.warn('PUBLIC_URL is plain http: passwords and cookies travel unprotected', { hostname });
}
