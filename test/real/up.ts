import { perApp } from '../../services/local/apps.ts';
import type { AppId } from '../../services/local/apps.ts';
import { type Child, type Stack } from '../../services/local/stack.ts';
import { startDaprd } from './daprd.ts';
import { prepareKafka } from './kafka.ts';
import { realParts } from './parts.ts';
import { topicsOfManifests, writeResources } from './resources.ts';

/**
 * What `bun run up --real` starts in place of the stand-in: how to start the broker (it resolves when it answers) and one
 * sidecar for each service. Builds them if need be; throws `Refusal` without Go, Java or Maven.
 */
export async function prepareRealParts({
  folder,
  say,
  linesOf,
}: {
  /** Keeps Kafka's records from one `up` to the next. */
  folder: (name: string) => string;
  say: (line: string) => void;
  linesOf: (name: string) => (line: string) => void;
}) {
  const parts = await realParts(say);
  const topics = await topicsOfManifests();
  const kafka = await prepareKafka({ parts: parts.kafka, folder: folder('kafka'), topics, onLine: linesOf('kafka') });
  const paths = await writeResources(folder('dapr'), { broker: kafka.broker });
  const lines = perApp((appId) => linesOf(`daprd-${appId}`));
  return {
    kafka: { port: kafka.port, launch: kafka.launch },
    startDaprd({ ports, sidecarPorts, secrets }: Stack, appId: AppId): Child {
      const { DAPR_API_TOKEN, APP_API_TOKEN } = secrets;
      return startDaprd({
        daprd: parts.daprd,
        appId,
        appPort: ports[appId],
        httpPort: sidecarPorts[appId],
        tokens: { DAPR_API_TOKEN, APP_API_TOKEN },
        onLine: lines[appId],
        logLevel: 'error',
        ...paths,
      });
    },
  };
}
