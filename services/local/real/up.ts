import { type AppId, perApp } from '../machine/apps.ts';
import type { Child } from '../machine/child.ts';
import { startDaprd } from './daprd.ts';
import { prepareKafka } from './kafka.ts';
import { realParts } from './parts.ts';
import { topicsOfManifests, writeResources } from './resources.ts';
import { type Authority, prepareSentry } from './sentry.ts';

/** Where the services and their sidecars listen, and the tokens by which they know each other. */
type Placed = {
  ports: Record<AppId, number>;
  sidecarPorts: Record<AppId, number>;
  secrets: { DAPR_API_TOKEN: string; APP_API_TOKEN: string };
};

/**
 * What `bun run up --real` starts in place of the stand-in: how to start the broker and the certificate authority (they resolve
 * when they answer) and one sidecar for each service. Builds them if need be; throws `Refusal` without Go, Java or Maven.
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
  const sentry = await prepareSentry({ program: parts.sentry, folder: folder('sentry'), onLine: linesOf('sentry') });
  const lines = perApp((appId) => linesOf(`daprd-${appId}`));
  return {
    kafka: { port: kafka.port, launch: () => kafka.launch().ready },
    sentry: { port: sentry.port, launch: sentry.launch },
    authority: sentry.authority,
    startDaprd({ ports, sidecarPorts, secrets }: Placed, appId: AppId, authority: Authority): Child {
      const { DAPR_API_TOKEN, APP_API_TOKEN } = secrets;
      return startDaprd({
        daprd: parts.daprd,
        appId,
        appPort: ports[appId],
        httpPort: sidecarPorts[appId],
        authority,
        tokens: { DAPR_API_TOKEN, APP_API_TOKEN },
        onLine: lines[appId],
        logLevel: 'error',
        ...paths,
      });
    },
  };
}
