import { within } from '#shared/db';
import { readEvents } from '../../services/local/stream-reader.ts';
import { atRate } from '../support/load.ts';
import { type Person, signUpMany } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { startBare } from './bare.ts';
import { median, ms, percentile, print, spread } from './figures.ts';
import { printMemory } from './memory.ts';

const PEOPLE = 100; // 500 a second over 100 streams is 5 a second each: below a stream's limit of 10
const ROUND_SECONDS = 5;
const plan = [
  { rate: 100, rounds: 5 },
  { rate: 300, rounds: 3 },
  { rate: 500, rounds: 1 },
];
const WARM = { rate: 100, seconds: 10 };
/** At a rate beyond what the machine carries events are late, by less than this. */
const LATE_MS = 120_000;

/**
 * POST to SSE line and commit to publish, beside a bare publish-and-deliver through the very same sidecars and broker:
 * first apps that only answer stand behind them, then our services.
 */
export async function bench(): Promise<void> {
  const stack = await startStack();
  try {
    const people = await signUpMany(stack, PEOPLE);
    await Promise.all(stack.names.map(stack.stopOne));
    const bare = startBare(stack);
    const limits = await measureAll(bare.publishAndDeliver);
    await bare.stop();

    await Promise.all(stack.names.map(stack.start));
    const streams = await openStreams(stack, people);
    const wholes = await measureAll((i) => streams.createAndSee(people[i % PEOPLE] as Person, `Task ${i}`));
    streams.close();
    for (const [i, { rate }] of plan.entries()) await report(stack, rate, limits[i] ?? [], wholes[i] ?? []);
    console.log('\nresident memory after all of that');
    printMemory(stack);
  } finally {
    await stack.stop();
  }
}

type Round = { startedAt: Date; latencies: number[] };

/** All rounds of the plan, one list for each rate. */
async function measureAll(work: (i: number) => Promise<number>): Promise<Round[][]> {
  await run(WARM.rate, WARM.seconds, work);
  const all: Round[][] = [];
  for (const { rate, rounds } of plan) {
    const own: Round[] = [];
    while (own.length < rounds) own.push({ startedAt: new Date(), latencies: await run(rate, ROUND_SECONDS, work) });
    all.push(own);
  }
  return all;
}

/** `work` at this rate. @returns how long each took, ms */
async function run(rate: number, seconds: number, work: (i: number) => Promise<number>): Promise<number[]> {
  const latencies: number[] = [];
  await atRate(rate, seconds, async (i) => void latencies.push(await work(i)));
  return latencies;
}

async function report(stack: RunningStack, rate: number, limits: Round[], wholes: Round[]): Promise<void> {
  const count = wholes.length === 1 ? 'one round' : `medians of ${wholes.length} rounds`;
  console.log(`\nat ${rate} creates a second, ${PEOPLE} streams: ${count} of ${ROUND_SECONDS} s`);
  const publishes = await Promise.all(wholes.map((round) => commitToPublish(stack, round)));
  const [limit, whole, publish] = [limits, wholes, publishes].map((rounds) =>
    [0.5, 0.99].map((share) => median(rounds.map(({ latencies }) => percentile(latencies, share)))),
  );
  const both = ([p50 = NaN, p99 = NaN]: number[] = []) => `p50 ${ms(p50)} · p99 ${ms(p99)}`;
  const [times50, times99] = (whole ?? []).map((value, i) => `${(value / (limit?.[i] ?? NaN)).toFixed(1)}×`);
  print('bare publish and deliver (the limit)', both(limit));
  print('POST to SSE line', both(whole), `${times50} and ${times99} the limit`);
  print('commit to publish accepted', both(publish));
  for (const [i, { latencies }] of wholes.entries()) print(`  round ${i + 1}, POST to SSE line`, spread(latencies));
}

/** From each change's commit to its accepted publish, of those of a round. */
async function commitToPublish({ database }: RunningStack, { startedAt, latencies }: Round): Promise<Round> {
  const rows = await database.sql<{ waited: number }[]>`
    select extract(epoch from sent_at - created_at)::float8 * 1000 as waited from outbox
    where created_at >= ${startedAt} and sent_at is not null order by seq limit ${latencies.length}`;
  return { startedAt, latencies: rows.map(({ waited }) => waited) };
}

/** The open streams of all people, and a create that waits for its line on one of them. */
async function openStreams(stack: RunningStack, people: Person[]) {
  const waiting = new Map<string, (at: number) => void>();
  /** What came before its create was answered, which happens. */
  const early = new Map<string, number>();
  const seen = (taskId: string) => {
    const at = performance.now();
    const resolve = waiting.get(taskId);
    if (resolve) resolve(at);
    else early.set(taskId, at);
  };
  const closers = await Promise.all(
    people.map(({ headers }) => listen(stack.url('/api/v1/notifications/stream'), headers, seen)),
  );
  return {
    /** @returns from the request to the line on the stream, ms */
    async createAndSee(person: Person, title: string): Promise<number> {
      const from = performance.now();
      const { id } = await person.ask<{ id: string }>('POST', '/tasks', { title });
      const { promise, resolve } = Promise.withResolvers<number>();
      waiting.set(id, resolve);
      const at = early.get(id) ?? (await within(LATE_MS, promise));
      waiting.delete(id);
      early.delete(id);
      return at - from;
    },
    close: () => closers.forEach((close) => close()),
  };
}

/** Opens a stream and tells the task of each notification as its line arrives. @returns what closes it */
async function listen(
  url: string,
  headers: Record<string, string>,
  onTask: (taskId: string) => void,
): Promise<() => void> {
  const controller = new AbortController();
  const response = await fetch(url, { headers, signal: controller.signal });
  if (response.status !== 200 || !response.body) throw new Error(`the stream answered ${response.status}`);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const { body } = response;
  void (async () => {
    for await (const { event, data } of readEvents(body)) {
      if (event === 'ready') resolve();
      else onTask((JSON.parse(data) as { event?: { task_id: string } }).event?.task_id ?? '');
    }
  })().catch(() => {}); // ends by our own abort
  await ready;
  return () => controller.abort();
}
