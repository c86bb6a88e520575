import { createProgress } from '../../services/local/machine/command-line.ts';
import { atRate } from '../support/load.ts';
import { type Person, signUpMany } from '../support/person.ts';
import { startStack } from '../support/stack.ts';
import { LATE_MS } from './bare.ts';
import { percentile } from './figures.ts';
import { openCaller } from './keep-alive.ts';
import { buildPocketBase, startPocketBase, taskOf } from './pocketbase/server.ts';
import { createReport, interleaved, p99Of, type Report } from './report.ts';
import { type Listen, listenTo, watch } from './watch.ts';

/** What both are asked. `n`: of the person; `i`: of the request. */
type Side = {
  name: string;
  port: number;
  create(n: number, title: string): Promise<string>;
  listen(n: number): Listen;
  request(n: number, title: string): { path: string; headers: Record<string, string>; body: string };
  /** Until nothing is under way any more. */
  settled(): Promise<void>;
};

const CONDITIONS =
  'PocketBase writes into SQLite without waiting for the disk; TaskFlow waits, and its events go to four services';
const WARM_SECONDS = 4;
const WARM_RATE = 100;

/** Creates a second, and the time from POST to the line of the stream, beside PocketBase 0.36 with the same generator in the same rounds. */
export async function bench({ isSmall }: { isSmall: boolean }): Promise<void> {
  const program = await buildPocketBase(createProgress());
  if (program === null)
    return console.log('\nNo Go on this machine, so PocketBase cannot be built: nothing to compare with.');
  const report = createReport('peer', isSmall);
  const size = isSmall
    ? { connections: [8], rates: [{ rate: 100, streams: 20 }], rounds: 2, seconds: 1 }
    : {
        connections: [8, 32, 64],
        // A stream of ours carries ten lines a second.
        rates: [100, 300, 500].map((rate) => ({ rate, streams: rate === 500 ? 200 : 50 })),
        rounds: 5,
        seconds: 4,
      };
  const count = Math.max(...size.connections, ...size.rates.map(({ streams }) => streams));
  const settings = { REQUESTS_PER_SECOND: '100000', TASKS_PER_USER: '10000000' };
  const stack = await startStack({ settings: { 'chat-api': settings } });
  const pocketBase = await startPocketBase(program, count).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  try {
    const people = await signUpMany(stack, count);
    const person = (n: number) => people[n] as Person;
    const member = (n: number) => pocketBase.members[n] as (typeof pocketBase.members)[number];
    const ours: Side = {
      name: 'TaskFlow',
      port: stack.ports['chat-api'],
      create: async (n, title) => (await person(n).ask<{ id: string }>('POST', '/tasks', { title })).id,
      listen: (n) => listenTo(stack.url('/api/v1/notifications/stream'), person(n).headers),
      request: (n, title) => ({
        path: '/api/v1/tasks',
        headers: person(n).headers,
        body: JSON.stringify({ title, description: 'x'.repeat(100) }),
      }),
      settled: () => stack.settled(LATE_MS),
    };
    const theirs: Side = {
      name: 'PocketBase',
      port: pocketBase.port,
      create: (n, title) => pocketBase.createTask(member(n), title),
      listen: (n) => pocketBase.listenTo(member(n)),
      request: (n, title) => ({
        path: '/api/collections/tasks/records',
        headers: member(n).headers,
        body: JSON.stringify(taskOf(member(n).id, title)),
      }),
      settled: async () => {},
    };
    const sides = { ours, theirs };
    await reportLatency(report, sides, size);
    await reportCreates(report, sides, size);
    await report.save();
  } finally {
    await Promise.all([stack.stop(), pocketBase.stop()]);
  }
}

type Sides = { ours: Side; theirs: Side };
type Rounds = { rounds: number; seconds: number };

async function reportLatency(
  report: Report,
  sides: Sides,
  { rates, rounds, seconds }: Rounds & { rates: { rate: number; streams: number }[] },
): Promise<void> {
  report.table('POST to the line of the stream', `${rounds} rounds of ${seconds} s each in turn; ${CONDITIONS}`);
  for (const { rate, streams } of rates) {
    const p99: Record<keyof Sides, number[]> = { ours: [], theirs: [] };
    const measure = (name: keyof Sides) => async () => {
      const side = sides[name];
      const watching = await watch(Array.from({ length: streams }, (_, n) => side.listen(n)));
      const see = (i: number) => watching.createAndSee(() => side.create(i % streams, `Measure ${i} times`));
      await atRate(WARM_RATE, WARM_SECONDS, async (i) => void (await see(i)));
      const latencies: number[] = [];
      await atRate(rate, seconds, async (i) => void latencies.push(await see(i)));
      watching.close();
      await side.settled();
      p99[name].push(p99Of(latencies));
      return percentile(latencies, 0.5);
    };
    const p50 = await interleaved(rounds, { ours: measure('ours'), theirs: measure('theirs') });
    const what = `${rate} a second, ${streams} streams`;
    for (const [share, { ours, theirs }] of Object.entries({ p50, p99 }))
      report.row({
        what: `${what}, ${share}`,
        unit: 'ms',
        rounds: ours,
        beside: { what: sides.theirs.name, rounds: theirs },
      });
  }
}

async function reportCreates(
  report: Report,
  sides: Sides,
  { connections, rounds, seconds }: Rounds & { connections: number[] },
): Promise<void> {
  report.table('creates a second', `${rounds} rounds of ${seconds} s each in turn; ${CONDITIONS}`);
  for (const count of connections) {
    const told = await interleaved(rounds, {
      ours: () => createsPerSecond(sides.ours, count, seconds),
      theirs: () => createsPerSecond(sides.theirs, count, seconds),
    });
    const beside = { what: sides.theirs.name, rounds: told.theirs };
    report.row({ what: `${count} connections`, unit: '/s', rounds: told.ours, beside });
  }
}

/** Closed loop: each connection asks again as soon as it is answered. What then waits is delivered before the next round. */
async function createsPerSecond(side: Side, connections: number, seconds: number): Promise<number> {
  const callers = await Promise.all(Array.from({ length: connections }, () => openCaller(side.port)));
  const startedAt = performance.now();
  let done = 0;
  const loop = async (caller: (typeof callers)[number], n: number) => {
    while (performance.now() < startedAt + seconds * 1000) {
      const { path, headers, body } = side.request(n, `Measure ${done} times`);
      const status = await caller.call('POST', path, headers, body);
      if (status >= 300) throw new Error(`${side.name}: POST ${path} answered ${status}`);
      done++;
    }
  };
  await Promise.all(callers.map(loop));
  const rate = (done / (performance.now() - startedAt)) * 1000;
  for (const caller of callers) caller.close();
  await side.settled();
  return rate;
}
