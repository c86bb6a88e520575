import { serveOptions } from '#shared/body';
import { checkSidecar, createSidecar } from '#shared/dapr';
import { connect } from '#shared/db';
import { createLifecycle } from '#shared/lifecycle';
import { createLog } from '#shared/log';
import { createLoop } from '#shared/loop';
import { createMetrics } from '#shared/metrics';
import { version } from '../../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { createProcessor } from './processor.ts';

const config = readConfig();
const commit = config.VERSION_COMMIT;
const log = createLog('recurring-task-processor', { level: config.LOG_LEVEL });
const metrics = createMetrics('recurring-task-processor', { version, commit });
const lifecycle = createLifecycle(log);

const sql = connect(config.DATABASE_URL, { name: 'recurring-task-processor', max: 2 });
lifecycle.defer('database', () => sql.end({ timeout: 5 }));

const daprd = { port: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN };
const sidecar = await createSidecar(daprd);
lifecycle.defer('sidecar', sidecar.stop);

const app = createApp({
  place: { host: config.HOST, publicUrl: config.PUBLIC_URL },
  version,
  commit,
  ready: { database: () => sql`select 1`, sidecar: () => checkSidecar(daprd) },
  log,
  metrics,
});
app.listen({ ...serveOptions, hostname: config.HOST, port: config.PORT });
lifecycle.defer('server', () => app.stop());

const processor = createProcessor({ sql, sidecar, serviceToken: config.SERVICE_TOKEN, log, metrics });
const tick = createLoop({
  name: 'tick',
  runOnce: (stopping) => processor.runOnce(new Date(), stopping),
  everyMs: config.TICK_SECONDS * 1000,
  retryMs: 10_000,
  log,
});
tick.start();
lifecycle.defer('tick', tick.stop);
log.info('listening', { port: app.server?.port });
