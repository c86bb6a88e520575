import { configOrExit } from '#shared/config';
import { openService } from '#shared/service';
import { createApp } from './app.ts';
import { schema } from './config.ts';
import { createWatch } from './watch.ts';

const service = openService('reminder-service', configOrExit(schema));
const watch = createWatch({ ...service, sidecar: await service.openSidecar() });
service.listen(createApp(service, watch));
// They stop before deliveries do: what comes then is only written; another replica, or the next start, fires it.
service.run(...watch.jobs);
