import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameOf, readDelivery } from '#shared/delivery';
import { consumers, events, PUBSUB } from '#shared/events';
import { spawnCommand, requireOk, untilReady, type Child } from '../../services/local/machine/child.ts';
import { processEnvironment } from '../../services/local/machine/environment.ts';
import { freePorts } from '../../services/local/machine/port.ts';
import { runJava, startJava } from '../../services/local/real/jvm.ts';
import { createTopics } from '../../services/local/real/kafka-wire.ts';
import type { KafkaParts } from '../../services/local/real/kafka.ts';
import { realParts } from '../../services/local/real/parts.ts';
import { topicsOfManifests } from '../../services/local/real/resources.ts';
import type { KubeObject } from '../contract/gitops/objects.ts';
import { temporaryFolder } from '../support/cluster.ts';
import { eventually } from '../support/wait.ts';
import { render } from './policies.ts';
import type { Verdict } from './verdict.ts';

// What an overlay makes of the pub/sub component, on a broker that has the users and rights of data/base and takes nobody else: TLS,
// SCRAM and an authorizer, as Strimzi sets them up. Dapr's own sidecar reads it as in a pod.

const READY_MS = 60_000;
const [producer, consumer] = ['chat-api', 'audit-logger'] as const;
const topic = events['task.created'].topic;
const passwordOf = (appId: string) => `password-of-${appId}`;

type Acl = { resource: { type: string; name: string }; operations: string[] };
type User = KubeObject<{ authorization: { acls: Acl[] } }>;
type Component = KubeObject<{ metadata: { name: string; value?: string }[] }>;

export async function judgeKafkaUsers(kustomize: string, verdict: Verdict, say: (line: string) => void) {
  const gitops = join(import.meta.dir, '../../gitops');
  const [parts, overlay, data] = await Promise.all([
    realParts(say),
    render(kustomize, join(gitops, 'overlays/minikube')),
    render(kustomize, join(gitops, 'data/overlays/minikube')),
  ]);
  await using opened = new AsyncDisposableStack();
  const folder = await temporaryFolder();
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const { port, innerPort, certificate } = await startBroker(parts.kafka, folder, opened);
  await createTopics(innerPort, await topicsOfManifests());
  const users = data.filter(({ kind }) => kind === 'KafkaUser') as User[];
  await allow(parts.kafka, innerPort, users);
  const resources = await writeResources(join(folder, 'resources'), overlay, `127.0.0.1:${port}`);

  const delivered: string[] = [];
  const app = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { deliveries, answer } = readDelivery(await request.json().catch(() => ({})), {});
      delivered.push(...deliveries.map((delivery) => nameOf(delivery) ?? ''));
      return Response.json(answer('SUCCESS'));
    },
  });
  opened.defer(() => app.stop(true));
  const start = async (appId: string, password = passwordOf(appId), appPort?: number) => {
    const sidecar = startSidecar({ daprd: parts.daprd, appId, password, certificate, resources, appPort });
    opened.defer(sidecar.child.stop);
    const probe = () => requireOk(`http://127.0.0.1:${sidecar.httpPort}/v1.0/healthz/outbound`);
    await untilReady(sidecar.child, { name: `daprd ${appId}`, ms: READY_MS, probe });
    return (path: string, body?: string) =>
      fetch(`http://127.0.0.1:${sidecar.httpPort}/v1.0/${path}`, body ? { method: 'POST', body, headers } : {});
  };

  const [ask] = await Promise.all([start(producer), start(consumer, passwordOf(consumer), app.port)]);
  const id = crypto.randomUUID();
  const publish = () => ask(`publish/${PUBSUB}/${topic}?metadata.cloudevent.id=${id}`, '{}');
  try {
    await eventually(async () => (await publish()).status === 204, READY_MS);
    await eventually(() => delivered.includes(id), READY_MS);
    verdict.pass(`users of Kafka: an event of ${producer} reaches ${consumer}, over TLS, each as a user of its own`);
  } catch (error) {
    verdict.fail('users of Kafka', error instanceof Error ? error.message : String(error));
  }
  const stranger = await start('reminder-service', 'of somebody else');
  const { components } = (await (await stranger('metadata')).json()) as { components: { name: string }[] };
  const isLoaded = components.some(({ name }) => name === PUBSUB);
  if (isLoaded) verdict.fail('users of Kafka', 'a sidecar with a wrong password was let in');
  else verdict.pass('users of Kafka: a sidecar with a wrong password is let in nowhere');
}

const headers = { 'content-type': 'application/json' };

/** A broker of one's own, with a certificate of its own, that knows the users by their passwords and allows nothing yet. */
async function startBroker(parts: KafkaParts, folder: string, opened: AsyncDisposableStack) {
  const [port = 0, innerPort = 0, controllerPort = 0] = freePorts(3);
  const [keystore, certificate, settings] = ['broker.p12', 'broker.pem', 'server.properties'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const store = ['-keystore', keystore, '-storetype', 'PKCS12', '-storepass', 'changeit', '-alias', 'broker'];
  const subject = ['-dname', 'CN=broker', '-ext', 'san=ip:127.0.0.1', '-ext', 'bc:c', '-keyalg', 'RSA'];
  await run(['keytool', '-genkeypair', ...store, ...subject]);
  await run(['keytool', '-exportcert', '-rfc', ...store, '-file', certificate]);
  await writeFile(
    settings,
    `${await readFile(parts.settings, 'utf8')}
log.dirs=${join(folder, 'data')}
listeners=SASL://127.0.0.1:${port},INNER://127.0.0.1:${innerPort},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=SASL://127.0.0.1:${port},INNER://127.0.0.1:${innerPort}
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listener.security.protocol.map=SASL:SASL_SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INNER
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.location=${keystore}
ssl.keystore.type=PKCS12
ssl.keystore.password=changeit
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
`,
  );
  const known = Object.keys(consumers).flatMap((appId) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${appId},password=${passwordOf(appId)}]`,
  ]);
  await runJava(parts.jars, [
    'kafka.tools.StorageTool',
    'format',
    '-t',
    'taskflow-users-0000000',
    '-c',
    settings,
    ...known,
  ]);
  const broker = startJava(parts.jars, ['kafka.Kafka', settings], { onLine: () => {} });
  opened.defer(broker.stop);
  const probe = () => createTopics(innerPort, []);
  await untilReady(broker, { name: 'kafka', ms: READY_MS, probe });
  return { port, innerPort, certificate: await readFile(certificate, 'utf8') };
}

/** The rights of the two users, those with the same operations in one command: each costs a JVM. */
async function allow({ jars }: KafkaParts, port: number, users: User[]): Promise<void> {
  const tool = ['org.apache.kafka.tools.AclCommand', '--bootstrap-server', `127.0.0.1:${port}`, '--add'];
  for (const { metadata, spec } of users.filter(({ metadata }) =>
    [producer, consumer].some((one) => one === metadata.name),
  )) {
    const groups = Map.groupBy(spec.authorization.acls, ({ operations }) => operations.toSorted().join());
    for (const [operations, acls] of groups) {
      const resources = acls.flatMap(({ resource }) => [`--${resource.type}`, resource.name]);
      const asked = operations.split(',').flatMap((operation) => ['--operation', operation]);
      await runJava(jars, [...tool, '--allow-principal', `User:${metadata.name}`, ...resources, ...asked]);
    }
  }
}

/** What Dapr's operator gives to a sidecar of the namespace; only the broker's address is another. */
async function writeResources(folder: string, overlay: KubeObject[], broker: string): Promise<string> {
  await mkdir(folder);
  for (const object of overlay.filter(
    ({ kind, apiVersion }) => apiVersion.startsWith('dapr.io/') && kind !== 'Configuration',
  )) {
    const { metadata } = (object as Component).spec;
    for (const item of Array.isArray(metadata) ? metadata : []) if (item.name === 'brokers') item.value = broker;
    await writeFile(join(folder, `${object.kind}-${object.metadata.name}.yaml`), Bun.YAML.stringify(object, null, 2));
  }
  return folder;
}

function startSidecar(options: {
  daprd: string;
  appId: string;
  password: string;
  certificate: string;
  resources: string;
  appPort: number | undefined;
}): { child: Child; httpPort: number } {
  const { daprd, appId, password, certificate, resources, appPort } = options;
  const [httpPort = 0, grpcPort, internalPort, metricsPort] = freePorts(4);
  const ports = { 'dapr-http-port': httpPort, 'dapr-grpc-port': grpcPort, 'dapr-internal-grpc-port': internalPort };
  const flags = {
    'app-id': appId,
    'resources-path': resources,
    'metrics-port': metricsPort,
    'dapr-listen-addresses': '127.0.0.1',
    'disable-init-endpoints': 'config,subscribe',
    ...ports,
    ...(appPort && { 'app-port': appPort, 'app-max-concurrency': 1 }),
  };
  const command = [daprd, ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
  // As the annotation dapr.io/env-from-secret brings them in from Strimzi's Secrets.
  const secrets = { KAFKA_PASSWORD: password, KAFKA_CA: certificate, NAMESPACE: 'taskflow' };
  return {
    child: spawnCommand(command, { ...processEnvironment(), ...secrets }, { onLine: () => {}, limitMs: 10_000 }),
    httpPort,
  };
}

async function run(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, exitCode] = await Promise.all([child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new Error(`${command[0]} ended with ${exitCode}: ${said}`);
}
