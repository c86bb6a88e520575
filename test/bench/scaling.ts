import { atRate } from '../support/load.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { type Costs, planOf, processes } from './costs.ts';
import { cpuOf } from './cpu.ts';
import { createCrowd, crowdSettings, type Member } from './crowd.ts';
import { median } from './figures.ts';
import { createReport, type Report } from './report.ts';
import { reportSizes } from './sizes.ts';
import { type Load, personOf, randomOf, simulate } from './simulation.ts';
import { reportLooks, reportWakes } from './wakes.ts';

const DELIVERED_MS = 180_000;
const COMMITS = 100;
/** How unequal people are: our assumption. */
const ZIPF = 1;

/**
 * What a change costs each process, the disk and the tables, on a full machine; whether the simulation that is fed with
 * these costs says of another load, a morning peak, what a run of it shows; and what a wake costs that all replicas hear.
 */
export async function bench({ isSmall }: { isSmall: boolean }): Promise<void> {
  const report = createReport('scaling', isSmall);
  const size = isSmall
    ? { people: 50, rounds: 1, base: 40, seconds: 4, listeners: [1, 20] }
    : { people: 10_000, rounds: 5, base: 150, seconds: 10, listeners: [1, 10, 50, 100, 200] };
  const settings = { 'chat-api': { ...crowdSettings, REQUESTS_PER_SECOND: '100000' } };
  const stack = await startStack({ settings });
  try {
    const people = await createCrowd(stack.database.sql, size.people);
    const flat: Load = { seconds: size.seconds, rate: () => size.base, people: size.people, zipf: ZIPF, seed: 1 };
    await run(stack, people, flat); // the compilers have seen what they will see
    report.table(
      `${size.base} changes a second for ${size.seconds} s`,
      `${size.rounds} rounds; ${size.people} people by Zipf's law; all five services`,
    );
    const rounds: Run[] = [];
    while (rounds.length < size.rounds) rounds.push(await run(stack, people, { ...flat, seed: rounds.length + 2 }));
    const costs = costsOf(rounds, await commitMs(stack));
    for (const name of processes)
      report.row({
        what: `CPU of a change, ${name}`,
        unit: 'us',
        rounds: rounds.map(({ cpu }) => (cpu[name] ?? NaN) * 1000),
      });
    report.row({ what: 'WAL of a change', unit: 'KiB', rounds: rounds.map(({ walKiB }) => walKiB) });
    report.row({ what: 'one commit alone', unit: 'ms', rounds: [costs.commitMs] });
    await reportRows(stack, report);
    await reportPeak(
      stack,
      people,
      { costs, callerMs: median(rounds.map(({ callerMs }) => callerMs)), base: size.base, rounds: size.rounds },
      report,
    );
    await reportWakes(stack, size.listeners, report);
    await reportLooks(stack, people, report);
    reportSizes(report);
    await report.save();
  } finally {
    await stack.stop();
  }
}

/** What a run showed; `cpu` and `callerMs` of one change, ms. */
type Run = {
  made: number;
  cpu: Record<string, number>;
  callerMs: number;
  walKiB: number;
  /** Of all processes and the caller. */
  coreSeconds: number;
  /** From the first request until the last consumer had the last event. */
  seconds: number;
  requestP50: number;
};

/** Changes as the load says, by the people whom the simulation would choose. */
async function run(stack: RunningStack, people: Member[], load: Load): Promise<Run> {
  const { sql } = stack.database;
  await stack.settled(DELIVERED_MS);
  const pick = personOf(load, randomOf(load.seed));
  const wal = async () => Number((await sql`select pg_current_wal_lsn() - '0/0' as bytes`)[0]?.bytes);
  const [before, ownBefore, walBefore, from] = [await cpuOf(stack), process.cpuUsage(), await wal(), performance.now()];
  const latencies: number[] = [];
  let made = 0;
  const create = async () => {
    const headers = { 'content-type': 'application/json', ...people[pick()]?.headers };
    const at = performance.now();
    const body = JSON.stringify({ title: 'Measure twice', description: 'x'.repeat(100) });
    const response = await fetch(stack.url('/api/v1/tasks'), { method: 'POST', headers, body });
    await response.arrayBuffer();
    if (response.status !== 201) throw new Error(`POST /tasks answered ${response.status}`);
    latencies.push(performance.now() - at);
    made++;
  };
  for (let second = 0; second < load.seconds; second++) await atRate(load.rate(second + 0.5), 1, create);
  await stack.settled(DELIVERED_MS);
  const seconds = (performance.now() - from) / 1000;
  const [after, own] = [await cpuOf(stack), process.cpuUsage(ownBefore)];
  const used = new Map([...after].map(([name, ms]) => [name, ms - (before.get(name) ?? 0)]));
  const ownMs = (own.user + own.system) / 1000;
  return {
    made,
    cpu: Object.fromEntries([...used].map(([name, ms]) => [name, ms / made])),
    callerMs: ownMs / made,
    walKiB: ((await wal()) - walBefore) / made / 1024,
    coreSeconds: ([...used.values()].reduce((sum, ms) => sum + ms, 0) + ownMs) / 1000,
    seconds,
    requestP50: median(latencies),
  };
}

function costsOf(rounds: Run[], commit: number): Costs {
  const of = (name: string) => median(rounds.map(({ cpu }) => cpu[name] ?? NaN));
  return { cpu: Object.fromEntries(processes.map((name) => [name, of(name)])) as Costs['cpu'], commitMs: commit };
}

async function commitMs({ database: { sql } }: RunningStack): Promise<number> {
  const samples: number[] = [];
  await sql`create table bench_commits (n int)`;
  for (let i = 0; i < COMMITS; i++) {
    const from = performance.now();
    await sql`insert into bench_commits values (${i})`;
    samples.push(performance.now() - from);
  }
  await sql`drop table bench_commits`;
  return median(samples);
}

/** Tables with all their indexes, by their rows: what a change leaves behind. */
async function reportRows({ database: { sql } }: RunningStack, report: Report): Promise<void> {
  for (const table of ['tasks', 'outbox', 'notifications', 'task_events', 'reminder_schedule']) {
    const [row] = await sql<{ bytes: number; rows: number }[]>`
      select pg_total_relation_size(${table}::regclass)::float8 + coalesce((select sum(pg_total_relation_size(inhrelid)) from pg_inherits
          where inhparent = ${table}::regclass), 0)::float8 as bytes,
        (select count(*) from ${sql(table)})::int as rows`;
    if (row && row.rows > 0)
      report.row({ what: `a row of ${table}`, unit: 'KiB', rounds: [row.bytes / row.rows / 1024] });
  }
}

/** Half, three times the base for a fifth of the time, and half again: the machine cannot do the peak at once. */
export const morning = (base: number): Load => ({
  seconds: 20,
  rate: (second) => (second >= 5 && second < 9 ? base * 3 : base / 2),
  people: 1000,
  zipf: ZIPF,
  seed: 7,
});

async function reportPeak(
  stack: RunningStack,
  people: Member[],
  { costs, callerMs, base, rounds }: { costs: Costs; callerMs: number; base: number; rounds: number },
  report: Report,
): Promise<void> {
  const cores = navigator.hardwareConcurrency;
  const load = { ...morning(base), people: people.length };
  const plan = planOf(costs, { replicas: 1, partitions: 3, cores, databaseCores: cores }, callerMs);
  report.table(
    `a morning peak of ${base / 2} to ${base * 3} changes a second, ${load.seconds} s`,
    `${rounds} rounds; beside: the simulation, fed with the costs above`,
  );
  const runs: Run[] = [];
  const simulated = [];
  for (let round = 0; round < rounds; round++) {
    const seeded = { ...load, seed: load.seed + round };
    runs.push(await run(stack, people, seeded));
    simulated.push(simulate(plan, seeded));
  }
  const row = (what: string, unit: 's' | 'ms', real: number[], said: number[]) =>
    report.row({ what, unit, rounds: real, beside: { what: 'simulated', rounds: said } });
  const work = (busy: Map<string, number>) =>
    [...busy].reduce((sum, [name, ms]) => (name === 'disk' || name === 'counter' ? sum : sum + ms), 0) / 1000;
  row(
    'processor time',
    's',
    runs.map(({ coreSeconds }) => coreSeconds),
    simulated.map(({ busy }) => work(busy)),
  );
  row(
    'until all was delivered',
    's',
    runs.map(({ seconds }) => seconds),
    simulated.map(({ endedAt }) => endedAt / 1000),
  );
  row(
    'request, p50',
    'ms',
    runs.map(({ requestP50 }) => requestP50),
    simulated.map(({ request }) => request.p50),
  );
}
