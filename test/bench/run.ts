import { bypassProxy } from '#shared/loopback';
import { commandOrExit, bun, createProgress, exitWith } from '../../services/local/machine/command-line.ts';
import { Refusal } from '../../services/local/machine/refusal.ts';
import { startCluster } from '../support/cluster.ts';

// bun run bench [SUITE …] [--small] [--real]: measures the real services on a durable Postgres, with --real on daprd and Kafka too, and
// prints each figure with its limit or peer from the same run. These machines are shared: read ratios, not absolute times.

type Asked = { cases: string[]; events: number; streams: number; minutes: number; isSmall: boolean };

bypassProxy(process.env);
const EVENTS = 20_000;
const MINUTES = 20;
const suites = {
  creates: './creates.ts',
  events: './events.ts',
  outbox: './outbox.ts',
  backlog: './backlog.ts',
  hostile: './hostile.ts',
  page: './page.ts',
  rest: './rest.ts',
  streams: './streams.ts',
  recurring: './recurring.ts',
  reminders: './reminders.ts',
  audit: './audit.ts',
  start: './start.ts',
  scaling: './scaling.ts',
  peer: './peer.ts',
  soak: './soak.ts',
} as const;
const all = Object.keys(suites) as (keyof typeof suites)[];
const { values, words: asked } = commandOrExit({
  name: 'bench',
  usage: `${bun} run bench [${all.join('] [')}] [--small] [--case NAME] [--events N] [--real]

  creates    POST /tasks, beside the same inserts without TaskFlow
  events     how long an event takes to the broker and to the line of the stream, and the CPU of each process for it
  outbox     how fast a backlog leaves the outbox, beside bare publishes
  backlog    how long events that wait in the broker take to the last consumer
  hostile    how much one hostile caller slows down another person's GET /tasks
  page       sizes of the page, 5,000 tasks in Chromium, a change seen in another browser
  rest       list, read, update and create, beside pgbench with the same statements
  streams    thousands of streams: memory, accept time and latency, beside plain TCP
  recurring  how long 10,000 due series take to their instances and to the inbox
  reminders  a million pending ones: start, memory, and how late 10,000 come that are due in one second
  audit      rows a second, and the export of a million
  start      cold and warm \`up\`
  scaling    what a change costs each part, and whether the simulation of a morning peak agrees with a run
  peer       creates, and POST to the line of the stream, beside PocketBase (needs Go)
  soak       k6/soak.ts with 2,000 idle streams: whether memory and descriptors creep, and whether anything is lost
  all        each of these (as without a name)
  --small    of events and of rest to soak: seconds each, to see that it works; figures mean little
  --case     of hostile this one alone; may be given several times
  --events   of the backlog; default ${EVENTS}
  --streams  idle ones that stay open beside those of \`events\`; default 0
  --minutes  of the soak; default ${MINUTES}
  --real     on Apache Kafka and Dapr's sidecars, built at the first time (needs Go, Java and Maven)`,
  flags: {
    small: { type: 'boolean' },
    real: { type: 'boolean' },
    case: { type: 'string', multiple: true },
    events: { type: 'string' },
    streams: { type: 'string' },
    minutes: { type: 'string' },
  },
  refuse: (name) => (name === 'all' || Object.hasOwn(suites, name) ? undefined : `There is no benchmark ${name}`),
});
const { small: isSmall = false, real: isReal = false, case: cases = [] } = values;
const events = countOf('events', EVENTS, 1);
const streams = countOf('streams', 0, 0);
const minutes = countOf('minutes', MINUTES, 1);
if (isReal) {
  await (await import('../../services/local/real/parts.ts')).realPartsOrExit(createProgress());
  process.env.TASKFLOW_SIDECAR = 'real';
}

const cluster = await startCluster(Bun.env.TEST_DATABASE_URL, { durable: true });
Object.assign(process.env, cluster.environment);
try {
  console.log(await conditions());
  for (const name of all.filter((each) => asked.length === 0 || asked.includes('all') || asked.includes(each))) {
    const suite = (await import(suites[name])) as { bench(asked: Asked): Promise<void> };
    await suite.bench({ cases, events, streams, minutes, isSmall });
  }
} finally {
  await cluster.stop();
}
process.exit(0);

async function conditions(): Promise<string> {
  const { cpus, totalmem, loadavg } = await import('node:os');
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `Bun ${Bun.version}, ${process.platform} ${process.arch}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${memory} GiB, load ${loadavg()[0]?.toFixed(1)}`,
    `services, ${isReal ? 'Kafka, sidecars' : 'stand-in'}, Postgres (fsync on) and the load generator share these cores; loopback only`,
  ].join('\n');
}

function countOf(flag: 'events' | 'streams' | 'minutes', usual: number, least: number): number {
  const count = Number(values[flag] ?? usual);
  if (!Number.isSafeInteger(count) || count < least)
    exitWith(new Refusal(`--${flag}: expected a number from ${least} on, got ${values[flag]}`));
  return count;
}
