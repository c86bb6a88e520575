import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, untilReady } from '../../services/local/machine/child.ts';
import { freePorts } from '../../services/local/machine/port.ts';
import { startJava } from '../../services/local/real/jvm.ts';
import {
  committedOffsets,
  createTopics,
  endOffsets,
  inStep,
  type Offsets,
} from '../../services/local/real/kafka-wire.ts';
import { createKafka, lagOf } from '../../services/local/real/kafka.ts';
import { freeze } from '../../services/local/machine/processes.ts';

const BROKERS = 3;
const READY_MS = 120_000;
/** As `gitops/data/overlays/cloud` sets them; later lines count. */
const copied = [
  `offsets.topic.replication.factor=${BROKERS}`,
  `transaction.state.log.replication.factor=${BROKERS}`,
  `transaction.state.log.min.isr=${BROKERS - 1}`,
  `share.coordinator.state.topic.replication.factor=${BROKERS}`,
  `share.coordinator.state.topic.min.isr=${BROKERS - 1}`,
  `min.insync.replicas=${BROKERS - 1}`,
];

type Options = Omit<Parameters<typeof createKafka>[0], 'port'>;

/**
 * Three brokers, each a controller too, with every record on all of them: what `createKafka` gives, for all together, and each of
 * the `nodes` by itself. One that is started is ready when it is in step with the others in every partition.
 */
export async function createKafkaCluster({ parts, folder, topics, onLine = () => {} }: Options) {
  const ports = freePorts(2 * BROKERS);
  const places = Array.from({ length: BROKERS }, (_, i) => ({
    id: i + 1,
    port: ports[2 * i] ?? 0,
    controllerPort: ports[2 * i + 1] ?? 0,
  }));

  async function createNode(place: Place) {
    const settings = await prepare({ parts, folder: join(folder, `node-${place.id}`), place, places });
    let child: Child | undefined;

    async function ready(): Promise<void> {
      await createTopics(place.port, topics, BROKERS);
      const counts = await inStep(place.port, topics);
      if (counts.some((count) => count < BROKERS)) throw new Error(`in step: ${counts.join(' ')}`);
    }
    async function end(how: 'stop' | 'kill'): Promise<void> {
      const ending = child;
      child = undefined;
      await ending?.[how]();
    }
    return {
      pid: () => child?.pid,
      async start(): Promise<void> {
        const more = [`-XX:SharedArchiveFile=${parts.classes}`];
        child ??= startJava(parts.jars, ['kafka.Kafka', settings], { more, onLine });
        await untilReady(child, { name: `Kafka's node ${place.id}`, ms: READY_MS, probe: ready });
      },
      stop: () => end('stop'),
      kill: () => end('kill'),
    };
  }

  const nodes = await Promise.all(places.map(createNode));
  const all = (work: (node: (typeof nodes)[number]) => unknown) => async () =>
    void (await Promise.all(nodes.map(work)));
  const pids = () => nodes.map(({ pid }) => pid()).filter((pid) => pid !== undefined);
  return {
    nodes,
    broker: places.map(({ port }) => `127.0.0.1:${port}`).join(),
    pid: () => nodes[0]?.pid(),
    start: all(({ start }) => start()),
    stop: all(({ stop }) => stop()),
    kill: all(({ kill }) => kill()),
    pause: async () => void (await Promise.all(pids().map(freeze))),
    resume: () => void pids().forEach((pid) => process.kill(pid, 'SIGCONT')),
    /** How many records of each topic the group has not acknowledged. Each broker knows of its own partitions and groups. */
    async lag(group: string, names: string[]): Promise<{ topic: string; lag: number }[]> {
      const asked = topics.filter(({ name }) => names.includes(name));
      const committed = await Promise.all(places.map(({ port }) => committedOffsets(port, group, asked)));
      const ends = known(await Promise.all(places.map(({ port }) => endOffsets(port, asked, true))));
      if (ends.some(({ offsets }) => offsets.includes(-1))) throw new Error('a partition has no leader');
      return lagOf(known(committed), ends);
    },
  };
}

type Place = { id: number; port: number; controllerPort: number };

/** What any of them knows: -1 is said by one that does not. */
const known = (answers: Offsets[][]): Offsets[] =>
  (answers[0] ?? []).map(({ topic, offsets }, at) => ({
    topic,
    offsets: offsets.map((_, i) => Math.max(...answers.map((answer) => answer[at]?.offsets[i] ?? -1))),
  }));

/** A data folder and the settings for it. */
async function prepare({
  parts,
  folder,
  place: { id, port, controllerPort },
  places,
}: Pick<Options, 'parts' | 'folder'> & { place: Place; places: Place[] }): Promise<string> {
  const [data, settings] = [join(folder, 'data'), join(folder, 'server.properties')];
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await cp(parts.data, data, { recursive: true });
  const [meta, directory] = [join(data, 'meta.properties'), Buffer.from(crypto.getRandomValues(new Uint8Array(16)))];
  const formatted = await readFile(meta, 'utf8');
  await writeFile(
    meta,
    formatted
      .replace('node.id=1', `node.id=${id}`)
      .replace(/directory\.id=.*/, `directory.id=${directory.toString('base64url')}`),
  );
  const voters = places.map((each) => `${each.id}@127.0.0.1:${each.controllerPort}`);
  const lines = [
    await readFile(parts.settings, 'utf8'),
    `node.id=${id}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    `controller.quorum.voters=${voters.join()}`,
    `log.dirs=${data}`,
    ...copied,
    '',
  ];
  await writeFile(settings, lines.join('\n'));
  return settings;
}
