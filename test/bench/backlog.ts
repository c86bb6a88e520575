import { inTurns } from '../support/load.ts';
import { type Person, signUpMany } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';
import { cpuOf, printCpu } from './cpu.ts';
import { LOOK_MS, print } from './figures.ts';

const PEOPLE = 20;
/** Of tasks that are created by one request. */
const BATCH = 100;
const BATCHES_IN_FLIGHT = 8;
const LONGEST_MS = 900_000;
const CONSUMERS = ['notification-service', 'reminder-service', 'audit-logger'];

/** How long events that were published while no consumer ran take to the last of them, from its start on. */
export async function bench({ events }: { events: number }): Promise<void> {
  const stack = await startStack();
  try {
    const people = await signUpMany(stack, PEOPLE);
    await stack.settled();
    await Promise.all(CONSUMERS.map(stack.stopOne));
    console.log(`\na backlog of ${events} events`);
    const createdMs = await timed(() => create(stack, people, events));
    print('created and published', `${Math.round(events / (createdMs / 1000))}/s`);
    await Promise.all(CONSUMERS.map(stack.start));
    const before = await cpuOf(stack);
    const drainedMs = await timed(() => stack.settled(LONGEST_MS));
    const rate = `${Math.round(events / (drainedMs / 1000))}/s`;
    print('until the last consumer has all', `${(drainedMs / 1000).toFixed(1)} s`, rate);
    printCpu([{ before, after: await cpuOf(stack), count: events }]);
  } finally {
    await stack.stop();
  }
}

async function create({ database }: RunningStack, people: Person[], events: number): Promise<void> {
  await inTurns(Math.ceil(events / BATCH), BATCHES_IN_FLIGHT, async (i) => {
    const count = Math.min(BATCH, events - i * BATCH);
    const tasks = Array.from({ length: count }, (_, n) => ({ title: `Task ${i * BATCH + n}` }));
    await people[i % PEOPLE]?.ask('POST', '/tasks/batch', { tasks });
  });
  const isPublished = async () => {
    const [row] = await database.sql<{ unsent: number }[]>`
      select count(*)::int as unsent from outbox where sent_at is null`;
    return row?.unsent === 0;
  };
  await eventually(isPublished, { ms: LONGEST_MS, everyMs: LOOK_MS, what: 'all events to be published' });
}

/** In ms. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}
