import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, freePorts } from '../machine/port.ts';
import { freeze } from '../machine/processes.ts';
import { type Child, untilReady } from '../machine/child.ts';
import { runJava, startJava } from './jvm.ts';
import { committedOffsets, createTopics, endOffsets, type Offsets, type Topic } from './kafka-wire.ts';

export type Kafka = Awaited<ReturnType<typeof createKafka>>;

/** Where its parts lie: the jars, and what they are told. */
export type KafkaFiles = {
  jars: string;
  settings: string;
  /** A formatted data folder without topics, to be copied: formatting one costs a JVM of 3 s. */
  data: string;
};
export type KafkaParts = KafkaFiles & {
  /** The classes a broker loads, parsed and linked: it starts in half the time (0.8 s instead of 1.5). */
  classes: string;
};

/** Any: one broker, one cluster. */
const CLUSTER_ID = '5L6g3nShT-eMCtK--X86sw';
/** After a kill it looks through its records first: more than a minute on a busy machine. */
const READY_MS = 180_000;

/** The file that `archiveClasses` writes. */
export const CLASSES = 'classes.jsa';

type KafkaOptions = {
  parts: KafkaParts;
  folder: string;
  topics: Topic[];
  port?: number;
  onLine?: (line: string) => void;
};

/**
 * One Apache Kafka broker (KRaft) on the loopback that keeps its records in `folder`. It may be launched again and again, on
 * the same port and records.
 */
export async function prepareKafka({ parts, folder, topics, port = freePort(), onLine = () => {} }: KafkaOptions) {
  const settings = await prepare(parts, folder, port);
  return {
    port,
    broker: `127.0.0.1:${port}`,
    /** `ready` resolves when it answers and has the topics. */
    launch(): { child: Child; ready: Promise<Child> } {
      const more = [`-XX:SharedArchiveFile=${parts.classes}`];
      const child = startJava(parts.jars, ['kafka.Kafka', settings], { more, onLine });
      return { child, ready: ready(port, topics, child) };
    },
    /** How many records of each topic the group has not acknowledged. */
    async lag(group: string, names: string[]): Promise<{ topic: string; lag: number }[]> {
      const asked = topics.filter(({ name }) => names.includes(name));
      // In this order: of events that come between the two answers it is too much then, and never 0 while one waits.
      const committed = await committedOffsets(port, group, asked);
      return lagOf(committed, await endOffsets(port, asked));
    },
  };
}

/** How many records of each topic are behind what is acknowledged of it. */
export const lagOf = (committed: Offsets[], ends: Offsets[]): { topic: string; lag: number }[] =>
  ends.map(({ topic, offsets }) => {
    const done = committed.find((each) => each.topic === topic)?.offsets ?? [];
    return { topic, lag: offsets.reduce((sum, end, i) => sum + Math.max(0, end - Math.max(0, done[i] ?? 0)), 0) };
  });

/** A broker, not started yet, that may be started, stopped, killed and frozen. */
export async function createKafka(options: KafkaOptions) {
  const { launch, ...broker } = await prepareKafka(options);
  let running: ReturnType<typeof launch> | undefined;

  async function start(): Promise<void> {
    const own = (running ??= launch());
    void own.child.exited.then(() => {
      if (running === own) running = undefined; // it ended by itself
    });
    await own.ready;
  }

  async function end(how: 'stop' | 'kill'): Promise<void> {
    const ending = running;
    running = undefined;
    await ending?.child[how]();
  }

  return {
    ...broker,
    pid: () => running?.child.pid,
    start,
    stop: () => end('stop'),
    kill: () => end('kill'),
    /** Frozen, its connections open: as a broker whose disk hangs. */
    pause: async () => void (running && (await freeze(running.child.pid))),
    resume: () => void (running && process.kill(running.child.pid, 'SIGCONT')),
  };
}

/** Writes `files.data`, for `prepareKafka` to copy. */
export async function formatData(files: KafkaFiles): Promise<void> {
  const settings = `${files.data}.format`;
  await writeFile(settings, await settingsText(files, files.data, 1));
  await runJava(files.jars, ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', settings]);
  await rm(settings);
}

/** Writes into `folder` what a broker has loaded when it has started. */
export async function archiveClasses(files: KafkaFiles, folder: string): Promise<void> {
  const once = join(folder, 'once');
  const port = freePort();
  const settings = await prepare(files, once, port);
  const child = startJava(files.jars, ['kafka.Kafka', settings], {
    more: [`-XX:ArchiveClassesAtExit=${join(folder, CLASSES)}`],
    onLine: () => {},
  });
  await ready(port, [{ name: 'any', partitions: 1, retentionMs: -1 }], child);
  await child.stop();
  await rm(once, { recursive: true });
}

/** A data folder and the settings for it. */
async function prepare(files: KafkaFiles, folder: string, port: number): Promise<string> {
  const [data, settings] = [join(folder, 'data'), join(folder, 'server.properties')];
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await cp(files.data, data, { recursive: true, force: false });
  await writeFile(settings, await settingsText(files, data, port));
  return settings;
}

async function settingsText(files: KafkaFiles, data: string, port: number): Promise<string> {
  const [controllerPort = 0] = freePorts(1);
  return [
    await readFile(files.settings, 'utf8'),
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `log.dirs=${escaped(data)}`,
    '',
  ].join('\n');
}

/** As the value of a Java property, whose file is Latin-1 with escapes. */
const escaped = (text: string) =>
  text.replace(/[\\\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Its port opens before it may create topics, and a topic is created before its partitions have a leader that takes records. */
function ready(port: number, topics: Topic[], child: Child): Promise<Child> {
  const probe = async () => {
    await createTopics(port, topics);
    await endOffsets(port, topics); // only a leader knows
  };
  return untilReady(child, { name: 'Kafka', ms: READY_MS, probe });
}
