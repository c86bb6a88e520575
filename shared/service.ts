import { version } from '../package.json' with { type: 'json' };
import { serveOptions } from './body.ts';
import type { ApiConfig, BaseConfig } from './config.ts';
import { checkBroker, checkSidecar, createSidecar, type Sidecar } from './dapr.ts';
import { connect } from './db.ts';
import { createDeadLetterPurge } from './dead-letters.ts';
import { type Consumer, consumers } from './events.ts';
import type { AppId, Parts } from './frame.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLog } from './log.ts';
import { createLoop, type Job, type Loop } from './loop.ts';
import { createMetrics } from './metrics.ts';

/** An app of Elysia, as far as it is started and stopped. */
interface Server {
  server: { port?: number | undefined } | null;
  listen(options: object): unknown;
  stop(): Promise<unknown>;
}

/**
 * Opens what every service has: log, metrics, pool, checks of health, the purge of its dead letters, and a lifecycle that
 * closes all of it in reverse order on SIGTERM. `sidecar`: `useful` is what it can do without; without one it consumes
 * nothing. `publishes`: as `connect` has it. `drainMs`: longest that its answers go on after SIGTERM.
 */
export function openService<C extends BaseConfig & Partial<ApiConfig>>(
  appId: AppId,
  config: Readonly<C>,
  {
    sidecar: need = 'needed',
    publishes = false,
    drainMs = 0,
  }: { sidecar?: 'needed' | 'useful' | 'none'; publishes?: boolean; drainMs?: number } = {},
) {
  const consumer = need !== 'none' && isConsumer(appId) ? appId : null;
  const deliveryDrainMs = consumer ? config.DELIVERY_DRAIN_MS : 0;
  const log = createLog(appId, { level: config.LOG_LEVEL });
  const metrics = createMetrics(appId, { version, commit: config.VERSION_COMMIT });
  const { defer } = createLifecycle(log, { drainMs: Math.max(drainMs, deliveryDrainMs) });
  const sql = connect(config.DATABASE_URL, { name: appId, max: config.DATABASE_POOL, publishes });
  // Whoever had asked it something has ended or given up by then; loops that hang have taken half of the whole time.
  defer('database', () => sql.end({ timeout: 2 }));

  const loops: Loop[] = [];
  const daprd = { port: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN };
  const sidecarCheck = { sidecar: () => checkSidecar(daprd) };
  const brokerCheck = { broker: () => checkBroker(daprd) };
  const parts: Parts<C> = {
    appId,
    version,
    config,
    sql,
    log,
    metrics,
    ready: { database: () => sql`select 1`, ...(need === 'needed' && sidecarCheck) },
    degraded: { ...(need === 'useful' && sidecarCheck), ...(consumer && brokerCheck) },
  };

  /**
   * Runs jobs until the service stops, which waits for the runs in hand: of all jobs at once, those of earlier calls too, when
   * the last call's turn to stop has come. One after the other, a database that hangs would take the time of each.
   */
  function run(...jobs: Job[]): void {
    const started = jobs.map((job) => createLoop(job, log));
    for (const loop of started) loop.start();
    loops.push(...started);
    defer('loops', () => Promise.all(loops.splice(0).map((loop) => loop.stop())));
  }

  if (consumer) run(createDeadLetterPurge({ sql, appId: consumer, log }));
  return {
    ...parts,
    defer,
    run,

    /** The sidecar, for who publishes or calls. */
    async openSidecar(): Promise<Sidecar> {
      const sidecar = await createSidecar({ ...daprd, metrics });
      defer('sidecar', sidecar.stop);
      return sidecar;
    },

    /** Answers requests. What is run or opened after it stops before it; `drain` is waited for while it answers still. */
    listen(app: Server, drain: () => Promise<unknown> = async () => {}): void {
      app.listen({ ...serveOptions, hostname: config.HOST, port: config.PORT });
      defer('server', () => app.stop());
      defer('deliveries', () => Promise.all([drain(), Bun.sleep(deliveryDrainMs)]));
      log.info('listening', { port: app.server?.port });
    },
  };
}

const isConsumer = (appId: AppId): appId is Consumer => appId in consumers;
