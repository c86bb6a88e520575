import { configOrExit } from '#shared/config';
import { openService } from '#shared/service';
import { createApp } from './app.ts';
import { schema } from './config.ts';
import { createProcessor } from './processor.ts';

const config = configOrExit(schema);
const service = openService('recurring-task-processor', config);
const sidecar = await service.openSidecar();
const processor = createProcessor({ ...service, sidecar, serviceToken: config.SERVICE_TOKEN });
service.listen(createApp(service));
service.run({
  name: 'tick',
  everyMs: config.TICK_SECONDS * 1000,
  retryMs: 10_000,
  runOnce: (stopping) => processor.runOnce(new Date(), stopping),
});
