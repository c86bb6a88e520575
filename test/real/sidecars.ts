import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { consumers, deadLetterTopic, events } from '#shared/events';
import type { AppId } from '../../services/local/machine/apps.ts';
import { type Child, requireOk, untilReady } from '../../services/local/machine/child.ts';
import { temporaryFolder } from '../support/cluster.ts';
import type { Fault, Placed, Sidecars, SidecarsOptions } from '../support/sidecars.ts';
import { startDaprd } from '../../services/local/real/daprd.ts';
import { createKafka, type Kafka } from '../../services/local/real/kafka.ts';
import { createKafkaCluster } from './kafka-cluster.ts';
import { realParts } from '../../services/local/real/parts.ts';
import { topicsOfManifests, writeResources } from '../../services/local/real/resources.ts';
import { prepareSentry } from '../../services/local/real/sentry.ts';

const READY_MS = 60_000;
/** What no switch of the real parts can do; the tests that ask for it run all the same. */
const notApplicable: Partial<Record<keyof Fault, string>> = {
  slow_ms: 'daprd and Kafka take the time they take',
  duplicate: 'Kafka repeats a delivery only when one was not acknowledged',
  reorder: 'a partition keeps its order',
};

export type Node = Pick<Kafka, 'pid' | 'start' | 'stop'>;
type Broker = Omit<Kafka, 'port'>;

/** The real parts, each of which a drill may stop, kill and start by itself. A sidecar has the name of its service. */
export type RealSidecars = Sidecars & {
  broker(): Broker;
  /** Kafka's processes: it alone, or several brokers of which each may be stopped by itself. */
  nodes(): Node[];
  /** SIGTERM, as the kubelet does it; resolves when it has ended. */
  stopSidecar(name: string): Promise<void>;
  /** Which have ended though nobody ended them, and with which code: no fault of ours may bring that about. */
  endedAlone(): string[];
};

/** One Kafka (or three brokers of it), one sentry and one daprd for each placed service, on the manifests of `gitops/base/dapr`. */
export async function createRealSidecars({
  placed,
  tokens,
  onLine,
  manifests,
  brokerAtStart = true,
  severalBrokers = false,
}: SidecarsOptions & {
  severalBrokers?: boolean;
  /** False: `start` leaves Kafka to whoever starts it. */
  brokerAtStart?: boolean;
}): Promise<RealSidecars> {
  const parts = await realParts(onLine);
  const prefixed = (name: string) => (line: string) => onLine(`${name} ${line}`);
  await using opened = new AsyncDisposableStack(); // closed again when something does not start
  const folder = await temporaryFolder();
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const children = new Map<string, Child>();
  const endedAlone: string[] = [];
  const sentry = await prepareSentry({
    program: parts.sentry,
    folder: join(folder, 'sentry'),
    onLine: prefixed('sentry'),
  });
  const authorityProcess = await sentry.launch();
  opened.defer(authorityProcess.kill); // nothing of all this is needed again
  const authority = await sentry.authority();
  const kafka: Broker & { nodes?: Node[] } = await (severalBrokers ? createKafkaCluster : createKafka)({
    parts: parts.kafka,
    folder: join(folder, 'kafka'),
    topics: await topicsOfManifests(),
    onLine: prefixed('kafka'),
  });
  const paths = await writeResources(folder, { broker: kafka.broker, ...(manifests && { from: manifests }) });

  async function start(): Promise<void> {
    if (brokerAtStart) await kafka.start();
    await Promise.all(placed.map(startOne));
  }

  async function startOne({ appId, name, port, sidecarPort }: Placed): Promise<void> {
    const options = { daprd: parts.daprd, appId, appPort: port, httpPort: sidecarPort, authority, tokens, ...paths };
    const child = startDaprd({ ...options, onLine: prefixed(`daprd ${name}`) });
    children.set(name, child);
    void child.exited.then((code) => {
      if (children.get(name) === child) endedAlone.push(`daprd ${name} with ${code}`); // whoever ends one takes it out before
    });
    const probe = () => requireOk(`http://127.0.0.1:${sidecarPort}/v1.0/healthz/outbound`);
    await untilReady(child, { name: `daprd ${name}`, ms: READY_MS, probe });
  }

  async function killOne({ name }: Placed): Promise<void> {
    const child = children.get(name);
    children.delete(name);
    await child?.kill();
  }

  async function stopOne({ name }: Placed): Promise<void> {
    const child = children.get(name);
    children.delete(name);
    await child?.stop();
  }

  function named(name: string): Placed {
    const found = placed.find((each) => each.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  }

  const kill = async () => void (await Promise.all([kafka.kill(), ...placed.map(killOne)]));

  async function publishFault(own: Placed[], publish: Fault['publish']): Promise<void> {
    switch (publish) {
      case 'hang':
        return kafka.pause();
      case 'fail':
        return kafka.stop();
      case 'absent':
        // Absent when the sidecar starts: it then has no such component.
        await kafka.stop();
        await Promise.all(own.map(killOne));
        return void (await Promise.all(own.map(startOne)));
      default:
        kafka.resume();
        await kafka.start();
    }
  }

  const nodes = () => kafka.nodes ?? [kafka];
  opened.defer(kill);
  const closing = opened.move();
  return {
    start,
    kill,
    stop: () => closing.disposeAsync(),
    async fault(appId, fault) {
      const own = placed.filter((each) => each.appId === appId);
      for (const [key, reason] of Object.entries(notApplicable)) {
        if (fault[key as keyof Fault]) console.error(`not applicable to real parts: ${key} (${reason})`);
      }
      if (fault.state) await Promise.all(own.map(fault.state === 'off' ? killOne : startOne));
      if (fault.publish) await publishFault(own, fault.publish);
    },
    async waiting() {
      const apps = placed.map(({ appId }) => appId).filter(isConsumer);
      const lags = await Promise.all(
        [...new Set(apps)].map(async (appId) => {
          const topics = [...consumers[appId].map((type) => events[type].topic), deadLetterTopic(appId)];
          return (await kafka.lag(appId, topics)).map((each) => ({ app_id: appId as AppId, ...each }));
        }),
      );
      return lags.flat();
    },
    broker: () => kafka,
    nodes,
    startSidecar: (name) => startOne(named(name)),
    stopSidecar: (name) => stopOne(named(name)),
    killSidecar: (name) => killOne(named(name)),
    endedAlone: () => [...endedAlone],
    pids() {
      const pids = new Map([...children].map(([name, { pid }]) => [`daprd ${name}`, pid]));
      pids.set('sentry', authorityProcess.pid);
      nodes().forEach((node, i) => {
        const pid = node.pid();
        if (pid !== undefined) pids.set(i === 0 ? 'kafka' : `kafka#${i + 1}`, pid);
      });
      return pids;
    },
  };
}

function isConsumer(appId: AppId): appId is AppId & keyof typeof consumers {
  return appId in consumers;
}
