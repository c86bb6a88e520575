import { configOrExit } from '#shared/config';
import { openService } from '#shared/service';
import { createApp } from './app.ts';
import { schema } from './config.ts';
import { createPartitions } from './partitions.ts';

const service = openService('audit-logger', configOrExit(schema));
service.run(createPartitions(service));
service.listen(createApp(service));
