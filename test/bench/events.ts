import { atRate } from '../support/load.ts';
import { type Person, signUpMany } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { LATE_MS, startBare } from './bare.ts';
import { type Cpu, cpuOf, printCpu } from './cpu.ts';
import { createCrowd, crowdSettings, type Member } from './crowd.ts';
import { median, ms, percentile, print } from './figures.ts';
import { type Holder, startHolder } from './holder.ts';
import { printMemory } from './memory.ts';
import { listenTo, watch } from './watch.ts';

/** 1,000 a second over 200 streams are 5 a second each: below a stream's limit of 10. */
const PEOPLE = 200;
const ROUND_SECONDS = 5;
/** After a start: the compilers of Bun and of Kafka's JVM have then seen what they will see. */
const WARM_SECONDS = 8;
const WARM_RATE = 100;
const plan = [
  { rate: 100, rounds: 5 },
  { rate: 300, rounds: 1 },
  { rate: 500, rounds: 5 },
  { rate: 1000, rounds: 3 },
  { rate: 2000, rounds: 1 }, // beyond what two cores carry: what breaks, and how far
];

/**
 * POST to SSE line, commit to publish and the CPU of a task, beside a bare publish-and-deliver through the very same sidecars and broker.
 * Both are measured in each round, one right after the other, so that a neighbour on the machine slows down both.
 */
export async function bench({ streams, isSmall }: { streams: number; isSmall: boolean }): Promise<void> {
  const stack = await startStack({ settings: { 'chat-api': crowdSettings, 'notification-service': crowdSettings } });
  const holder = startHolder();
  try {
    const idle = await createCrowd(stack.database.sql, streams);
    const people = await signUpMany(stack, PEOPLE);
    for (const { rate, rounds } of isSmall ? [{ rate: 50, rounds: 1 }] : plan) {
      const what = rounds === 1 ? 'one round' : `medians of ${rounds} rounds`;
      console.log(
        `\nat ${rate} creates a second, ${PEOPLE} streams and ${streams} idle ones: ${what} of ${ROUND_SECONDS} s`,
      );
      const measured: Round[] = [];
      while (measured.length < rounds) measured.push(await measure(stack, { people, idle, holder }, rate));
      report(measured);
    }
    console.log('\nresident memory after all of that');
    printMemory(stack);
  } finally {
    holder.end();
    await stack.stop();
  }
}

/** `idle`: whose streams stay open in another process while nothing happens to their tasks. */
type Crowd = { people: Person[]; idle: Member[]; holder: Holder };

/** Latencies of one round, and the CPU of its creates until the last consumer has them. */
type Round = { bare: Figures; whole: Figures; publish: Figures; cpu: { before: Cpu; after: Cpu; count: number } };
/** In ms. */
type Figures = { p50: number; p99: number };

/** First apps that only answer stand behind the sidecars, then our services. */
async function measure(stack: RunningStack, { people, idle, holder }: Crowd, rate: number): Promise<Round> {
  await stack.settled(LATE_MS);
  await Promise.all(stack.names.map(stack.stopOne));
  const apps = startBare(stack);
  await run(WARM_RATE, WARM_SECONDS, apps.publishAndDeliver);
  const bare = await run(rate, ROUND_SECONDS, apps.publishAndDeliver);
  await stack.settled(); // none of these may reach our services
  await apps.stop();

  await Promise.all(stack.names.map(stack.start));
  const headers = idle.map((member) => member.headers.authorization);
  await holder({ do: 'open', port: stack.ports['notification-service'], headers, stuckEvery: Infinity });
  const url = stack.url('/api/v1/notifications/stream');
  const streams = await watch(people.map(({ headers }) => listenTo(url, headers)));
  const create = (i: number) => streams.createAndSee(() => createTask(people[i % PEOPLE] as Person, `Task ${i}`));
  await run(WARM_RATE, WARM_SECONDS, create);
  const startedAt = new Date();
  const before = await cpuOf(stack);
  const whole = await run(rate, ROUND_SECONDS, create);
  await stack.settled(LATE_MS);
  const cpu = { before, after: await cpuOf(stack), count: whole.length };
  streams.close();
  await holder({ do: 'close' });
  const publish = await commitToPublish(stack, startedAt, whole.length);
  return { bare: figuresOf(bare), whole: figuresOf(whole), publish: figuresOf(publish), cpu };
}

async function createTask(person: Person, title: string): Promise<string> {
  return (await person.ask<{ id: string }>('POST', '/tasks', { title })).id;
}

/** `work` at this rate. @returns how long each took, ms */
async function run(rate: number, seconds: number, work: (i: number) => Promise<number>): Promise<number[]> {
  const latencies: number[] = [];
  await atRate(rate, seconds, async (i) => void latencies.push(await work(i)));
  return latencies;
}

/**
 * From each change's commit to its accepted publish, of those of a round: rather too long, since `created_at` is the start
 * of the transaction and `sent_at` the time when the relay marked the row, which is at its next turn.
 */
async function commitToPublish({ database }: RunningStack, startedAt: Date, count: number): Promise<number[]> {
  const rows = await database.sql<{ waited: number }[]>`
    select extract(epoch from sent_at - created_at)::float8 * 1000 as waited from outbox
    where created_at >= ${startedAt} and sent_at is not null order by seq limit ${count}`;
  return rows.map(({ waited }) => waited);
}

/** Each round where there are several, and their medians. */
function report(rounds: Round[]): void {
  if (rounds.length > 1) {
    for (const [i, { bare, whole }] of rounds.entries()) {
      print(`  round ${i + 1}, bare publish and deliver`, written(bare));
      print(`  round ${i + 1}, POST to SSE line`, written(whole), times(whole, bare));
    }
  }
  const bare = medians(rounds.map((round) => round.bare));
  const whole = medians(rounds.map((round) => round.whole));
  print('bare publish and deliver (the limit)', written(bare));
  print('POST to SSE line', written(whole), times(whole, bare));
  print('commit to publish accepted', written(medians(rounds.map(({ publish }) => publish))));
  printCpu(rounds.map(({ cpu }) => cpu));
}

const figuresOf = (latencies: number[]): Figures => ({
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
});
const medians = (figures: Figures[]): Figures => ({
  p50: median(figures.map(({ p50 }) => p50)),
  p99: median(figures.map(({ p99 }) => p99)),
});
const written = ({ p50, p99 }: Figures) => `p50 ${ms(p50)} · p99 ${ms(p99)}`;
const times = (whole: Figures, bare: Figures) =>
  `${(whole.p50 / bare.p50).toFixed(1)}× and ${(whole.p99 / bare.p99).toFixed(1)}× the limit`;
