// The questions that tests ask a broker, in Kafka's wire protocol (kafka.apache.org/protocol): its own tools cost
// 3 s of JVM for each. Versions are the last ones before the "flexible" encoding; Kafka 4.3 still serves them.

export type Offsets = { topic: string; offsets: number[] };
export type Topic = { name: string; partitions: number; retentionMs: number };
type Partitioned = Pick<Topic, 'name' | 'partitions'>;

const CREATE_TOPICS = { key: 19, version: 4 };
const LIST_OFFSETS = { key: 2, version: 1 };
const METADATA = { key: 3, version: 1 };
const OFFSET_FETCH = { key: 9, version: 1 };
const TOPIC_ALREADY_EXISTS = 36;
/** Nobody has ever been in this group, so there is no coordinator to ask. */
const NOT_COORDINATOR = 16;
const NOT_LEADER = 6;
const LATEST = -1;
const ANSWER_MS = 15_000;

/** Creates the topics that do not exist yet, all in one request; where there are several copies of each, all but one must have a record. */
export async function createTopics(port: number, topics: Topic[], copies = 1): Promise<void> {
  const inStep = copies > 1 ? [['min.insync.replicas', String(copies - 1)]] : [];
  const answer = await ask(port, CREATE_TOPICS, [
    array(topics, ({ name, partitions, retentionMs }) => [
      ...[text(name), int32(partitions), int16(copies), int32(0)],
      array([['retention.ms', String(retentionMs)], ...inStep], (setting) => setting.map(text)),
    ]),
    ...[int32(ANSWER_MS), int8(0)],
  ]);
  answer.int32(); // throttle time
  answer.array(() => {
    const [topic, error, message] = [answer.text(), answer.int16(), answer.text()];
    if (error !== 0 && error !== TOPIC_ALREADY_EXISTS) throw new Error(`${topic}: error ${error} ${message}`);
  });
}

/** How many brokers each partition of these topics has that are in step with its leader. */
export async function inStep(port: number, topics: Partitioned[]): Promise<number[]> {
  const answer = await ask(port, METADATA, [array(topics, ({ name }) => [text(name)])]);
  answer.array(() => [answer.int32(), answer.text(), answer.int32(), answer.text()]); // brokers
  answer.int32(); // controller
  const counts = answer.array(() => {
    const [error, name] = [answer.int16(), answer.text()];
    if (error !== 0) throw new Error(`${name}: error ${error}`);
    answer.int8(); // internal?
    return answer.array(() => {
      [answer.int16(), answer.int32(), answer.int32()]; // error, index, leader
      answer.array(() => answer.int32()); // replicas
      return answer.array(() => answer.int32()).length;
    });
  });
  return counts.flat();
}

/** The offset of the next record of each partition; -1 `ofOthers`, those that another broker leads. */
export async function endOffsets(port: number, topics: Partitioned[], ofOthers = false): Promise<Offsets[]> {
  const answer = await ask(port, LIST_OFFSETS, [
    int32(-1),
    array(topics, ({ name, partitions }) => [
      text(name),
      array(range(partitions), (index) => [int32(index), int64(LATEST)]),
    ]),
  ]);
  return answer.array(() => ({
    topic: answer.text(),
    offsets: byPartition(
      answer.array(() => {
        const [index, error] = [answer.int32(), answer.int16()];
        answer.int64(); // timestamp
        return { index, offset: answer.int64(), error: ofOthers && error === NOT_LEADER ? 0 : error };
      }),
    ),
  }));
}

/** The offset a group goes on from in each partition; -1 where it has acknowledged nothing yet. */
export async function committedOffsets(port: number, group: string, topics: Partitioned[]): Promise<Offsets[]> {
  const answer = await ask(port, OFFSET_FETCH, [
    text(group),
    array(topics, ({ name, partitions }) => [text(name), array(range(partitions), (index) => [int32(index)])]),
  ]);
  return answer.array(() => ({
    topic: answer.text(),
    offsets: byPartition(
      answer.array(() => {
        const [index, offset] = [answer.int32(), answer.int64()];
        answer.text(); // metadata
        const error = answer.int16();
        return error === NOT_COORDINATOR ? { index, offset: -1, error: 0 } : { index, offset, error };
      }),
    ),
  }));
}

function byPartition(answers: { index: number; offset: number; error: number }[]): number[] {
  for (const { index, error } of answers) if (error !== 0) throw new Error(`partition ${index}: error ${error}`);
  return answers.toSorted((a, b) => a.index - b.index).map(({ offset }) => offset);
}

/** One request on a connection of its own. Throws when there is no whole answer within 15 s. */
async function ask(port: number, api: { key: number; version: number }, body: Buffer[]): Promise<Reader> {
  const request = [int16(api.key), int16(api.version), int32(0), text('taskflow-test'), ...body];
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let received = Buffer.alloc(0);
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data(_socket, chunk) {
        received = Buffer.concat([received, chunk]);
        if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) resolve(received);
      },
      close: () => reject(new Error('the broker closed the connection')),
      error: (_socket, error) => reject(error),
    },
  });
  const timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
  try {
    const content = Buffer.concat(request);
    socket.write(Buffer.concat([int32(content.length), content]));
    return reader(await promise, 8); // behind length and correlation id
  } finally {
    clearTimeout(timer);
    socket.end();
  }
}

type Reader = ReturnType<typeof reader>;

function reader(bytes: Buffer, start: number) {
  let at = start;
  const advance = (by: number) => (at += by) - by;
  return {
    int8: () => bytes.readInt8(advance(1)),
    int16: () => bytes.readInt16BE(advance(2)),
    int32: () => bytes.readInt32BE(advance(4)),
    int64: () => Number(bytes.readBigInt64BE(advance(8))),
    text(): string {
      const length = this.int16();
      return length < 0 ? '' : bytes.toString('utf8', at, advance(length) + length);
    },
    array<T>(item: () => T): T[] {
      return range(this.int32()).map(item);
    },
  };
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const int8 = (value: number) => Buffer.from([value]);
const array = <T>(items: T[], item: (item: T) => Buffer[]) =>
  Buffer.concat([int32(items.length), ...items.flatMap(item)]);

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}
