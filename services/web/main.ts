import { Glob } from 'bun';
import { join } from 'node:path';
import { version } from '../../package.json' with { type: 'json' };
import { configOrExit } from '#shared/config';
import { createLifecycle } from '#shared/lifecycle';
import { createLog } from '#shared/log';
import { createMetrics } from '#shared/metrics';
import { createApp } from './app.ts';
import { schema } from './config.ts';
import { createSite } from './site.ts';

// The page in a cluster: files beside this one, made by services/bundle.ts. `up` serves the same from its gateway.

const { HOST, PORT, LOG_LEVEL, VERSION_COMMIT: commit } = configOrExit(schema);
const log = createLog('web', { level: LOG_LEVEL });
const metrics = createMetrics('web', { version, commit });
const { defer } = createLifecycle(log);
let isStopping = false;

const folder = join(import.meta.dir, 'site');
const paths = [...new Glob('**').scanSync(folder)];
const files = await Promise.all(
  paths.map(async (path) => [`/${path}`, await Bun.file(join(folder, path)).bytes()] as const),
);
const server = Bun.serve({
  hostname: HOST,
  port: PORT,
  development: false,
  fetch: createApp(createSite(new Map(files)), { version, commit, metrics, isStopping: () => isStopping }),
});
defer('server', () => {
  isStopping = true;
  return server.stop();
});
log.info('listening', { port: server.port, files: files.length });
