import { backoff } from '#shared/db';
import postgres from 'postgres';
import { type Bell, createBell } from './bell.ts';
import { openOffsets, type Position, type Reader } from './offsets.ts';

/** What Kafka would be: topics of three partitions, records in order, kept until every reader is past them. */
export const PARTITIONS = 3;

const RETENTION_DAYS = 7;
const TRIM_MS = 60 * 60 * 1000;
/** Of each partition's newest records, kept so that a reader that keeps up never asks the database. */
const TAIL_BYTES = 512 * 1024;
const FLUSH_RECORDS = 500;

export type NewRecord = { topic: string; key: string | null; headers: Record<string, string>; envelope: string };
/** `writtenAt` in ms since 1970. */
export type LogRecord = NewRecord & { partition: number; offset: number; writtenAt: number };
export type EventLog = Awaited<ReturnType<typeof openLog>>;

type Partition = { end: number; tail: LogRecord[]; tailBytes: number; appended: Bell };
type Pending = { record: NewRecord; resolve(): void; reject(error: unknown): void };

/** Opens the log in `databaseUrl`, making its schema. One process at a time. */
export async function openLog(databaseUrl: string, topics: Iterable<string>, readers: Reader[]) {
  const sql = postgres(databaseUrl, { max: 4, connect_timeout: 5, backoff, onnotice: () => {} });
  const partitions = new Map<string, Partition>();
  for (const topic of topics)
    for (let partition = 0; partition < PARTITIONS; partition++)
      partitions.set(`${topic}/${partition}`, { end: 0, tail: [], tailBytes: 0, appended: createBell() });
  const pending: Pending[] = [];
  let flushing = false;
  let flushed: Promise<void> = Promise.resolve();

  const offsets = await prepare().catch(async (error) => {
    await sql.end({ timeout: 0 });
    throw error;
  });
  const trimmer = setInterval(() => void trim(sql).catch(() => {}), TRIM_MS); // Only space: the next hour will do.

  async function prepare() {
    await createSchema(sql);
    await trim(sql);
    await readEnds();
    return openOffsets(sql, readers, PARTITIONS, (topic, partition) => find(topic, partition).end);
  }

  /**
   * Resolves when the record is on disk. Records of one moment, such as those of a bulk, go together into one write, and so
   * do those that arrive while one is under way.
   */
  function append(record: NewRecord): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    pending.push({ record, resolve, reject });
    if (!flushing) {
      flushing = true;
      flushed = Promise.resolve().then(flush);
    }
    return promise;
  }

  async function flush(): Promise<void> {
    while (pending.length) {
      const batch = pending.splice(0, FLUSH_RECORDS);
      const records = assignOffsets(batch);
      try {
        await insert(sql, records);
        for (const record of records) remember(record);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // The records may stand in the log all the same (the connection broke after the commit): whoever published them
        // publishes again, and the ends are read anew so that no offset is given twice.
        for (const { reject } of batch) reject(error);
        await readEnds().catch(() => {}); // Still away: the next write fails on the same offsets, and reads them then.
      }
    }
    flushing = false;
  }

  /** Inside the serial flush, not at receipt: a write that failed would leave a gap, and readers wait at a gap for ever. */
  function assignOffsets(batch: Pending[]): LogRecord[] {
    const writtenAt = Date.now();
    const ends = new Map<Partition, number>();
    return batch.map(({ record }) => {
      const number = partitionOf(record.key);
      const partition = find(record.topic, number);
      const offset = ends.get(partition) ?? partition.end;
      ends.set(partition, offset + 1);
      return { ...record, partition: number, offset, writtenAt };
    });
  }

  function remember(record: LogRecord): void {
    const partition = find(record.topic, record.partition);
    partition.end = record.offset + 1;
    partition.tail.push(record);
    partition.tailBytes += record.envelope.length;
    while (partition.tailBytes > TAIL_BYTES && partition.tail.length > 1)
      partition.tailBytes -= partition.tail.shift()?.envelope.length ?? 0;
    partition.appended.ring();
  }

  /** Also what the tables say of ends this process did not write itself; such records are read from there. */
  async function readEnds(): Promise<void> {
    const rows = await sql<{ topic: string; partition: number; end: number }[]>`
      select topic, partition, max("end")::float8 as "end" from (
        select topic, partition, max("offset") + 1 as "end" from sidecar.log group by topic, partition
        union all
        select topic, partition, max(next_offset) from sidecar.offsets group by topic, partition
      ) known group by topic, partition`;
    for (const { topic, partition, end } of rows) {
      const known = partitions.get(`${topic}/${partition}`);
      if (!known || known.end === end) continue;
      Object.assign(known, { end, tail: [], tailBytes: 0 });
      known.appended.ring();
    }
  }

  function find(topic: string, partition: number): Partition {
    const found = partitions.get(`${topic}/${partition}`);
    if (!found) throw new Error(`there is no partition ${topic}/${partition}`);
    return found;
  }

  return {
    append,
    commit: offsets.commit,
    /** How many records there are that the reader has not taken. */
    waiting: (position: Position): number => find(position.topic, position.partition).end - offsets.next(position),
    /** At most `limit` records from where the reader stands; empty when it has read all. */
    async read(position: Position, limit: number): Promise<LogRecord[]> {
      const { end, tail } = find(position.topic, position.partition);
      const from = offsets.next(position);
      if (from >= end) return [];
      const oldest = tail[0]?.offset;
      if (oldest !== undefined && from >= oldest) return tail.slice(from - oldest, from - oldest + limit);
      return select(sql, position.topic, position.partition, from, limit);
    },
    /** Resolves at the next append to that partition; ask for it before reading, or an append between is missed. */
    appended: ({ topic, partition }: Position) => find(topic, partition).appended.rung(),
    lag: () =>
      offsets.all().map(({ app_id, topic, partition, next }) => {
        const { end } = find(topic, partition);
        return { app_id, topic, partition, next_offset: next, end_offset: end, lag: end - next };
      }),
    /** How many records the topic ever held. */
    count(topic: string): number {
      let count = 0;
      for (let partition = 0; partition < PARTITIONS; partition++) count += find(topic, partition).end;
      return count;
    },
    wakeReaders(): void {
      for (const { appended } of partitions.values()) appended.ring();
    },
    /** Saves the offsets unless `crash`, which leaves them as a killed process would. */
    async close({ crash = false } = {}): Promise<void> {
      clearInterval(trimmer);
      await flushed;
      await offsets.close({ crash });
      // Nothing is under way any more; a pool that lost connections waits its whole timeout (postgres.js 3.4.9).
      await sql.end({ timeout: crash ? 0 : 1 });
    },
  };
}

async function createSchema(sql: postgres.Sql): Promise<void> {
  await sql`create schema if not exists sidecar`;
  await sql`
    create table if not exists sidecar.log (
      topic text not null, partition int not null, "offset" bigint not null, key text, headers json not null,
      envelope text not null, written_at timestamptz not null, primary key (topic, partition, "offset"))`;
  await sql`
    create table if not exists sidecar.offsets (
      app_id text not null, topic text not null, partition int not null, next_offset bigint not null,
      primary key (app_id, topic, partition))`;
}

async function insert(sql: postgres.Sql, records: LogRecord[]): Promise<void> {
  const column = <K extends keyof LogRecord>(name: K) => records.map((record) => record[name]);
  await sql`
    insert into sidecar.log (topic, partition, "offset", key, headers, envelope, written_at)
    select topic, partition, "offset", key, headers::json, envelope, to_timestamp(written_at / 1000.0)
    from unnest(${column('topic')}::text[], ${column('partition')}::int[], ${column('offset')}::bigint[],
      ${column('key')}::text[], ${records.map(({ headers }) => JSON.stringify(headers))}::text[],
      ${column('envelope')}::text[], ${column('writtenAt')}::bigint[])
      as t(topic, partition, "offset", key, headers, envelope, written_at)`;
}

function select(sql: postgres.Sql, topic: string, partition: number, from: number, limit: number) {
  return sql<LogRecord[]>`
    select topic, partition, "offset"::float8 as "offset", key, headers, envelope,
      extract(epoch from written_at)::float8 * 1000 as "writtenAt"
    from sidecar.log where topic = ${topic} and partition = ${partition} and "offset" >= ${from}
    order by "offset" limit ${limit}`;
}

/** Old records that every reader has passed. */
async function trim(sql: postgres.Sql): Promise<void> {
  await sql`
    delete from sidecar.log using (
      select topic, partition, min(next_offset) as passed from sidecar.offsets group by topic, partition) o
    where log.topic = o.topic and log.partition = o.partition and log."offset" < o.passed
      and log.written_at < now() - make_interval(days => ${RETENTION_DAYS})`;
}

/** Same key, same partition. Not Kafka's hash: nobody may rely on a number. Without a key any partition will do. */
function partitionOf(key: string | null): number {
  return key === null ? Math.floor(Math.random() * PARTITIONS) : Number(BigInt(Bun.hash(key)) % BigInt(PARTITIONS));
}
