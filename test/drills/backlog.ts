import { readFile } from 'node:fs/promises';
import type { AppId } from '../../services/local/machine/apps.ts';
import { inTurns } from '../support/load.ts';
import type { Person } from '../support/person.ts';
import { eventually } from '../support/wait.ts';
import type { Drill } from './drill.ts';
import { unsent } from './pile.ts';
import type { World } from './world.ts';

const BATCHES = 950;
const BATCH_TASKS = 100;
/** Tasks that are then changed twice: with the batches 100,000 events. */
const CHANGED = 2500;
const IN_FLIGHT = 8;
const LOOK_MS = 1000;
const DRAIN_MS = 400_000;

/** A hundred thousand events that wait in the outbox while there is no Kafka, and then leave it. */
export const backlog: Drill = {
  name: 'backlog',
  about: 'Kafka is stopped, 100,000 events are made through the API, Kafka is started',
  seconds: 480,
  people: 100,
  withoutLoad: true,
  withoutStreams: true,
  linuxOnly: true,
  settleMs: 60_000,
  async run(world, say) {
    const broker = world.stack.sidecars.broker();
    await broker.stop();
    const from = performance.now();
    await createAll(world);
    say(`${await unsent(world)} events wait, made in ${secondsSince(from)}`);

    const starting = performance.now();
    await broker.start();
    const started = performance.now();
    say(`Kafka was there after ${secondsSince(starting)}`);
    await eventually(
      async () => {
        await Bun.sleep(LOOK_MS);
        return (await unsent(world)) === 0;
      },
      { ms: DRAIN_MS, what: 'the outbox to be empty' },
    );
    say(`the outbox was empty after ${secondsSince(started)}`);
    await caughtUp(world, (appId) => say(`${appId} had all after ${secondsSince(started)}`));
    for (const line of await peaks(world)) say(line);
  },
};

async function createAll({ people, load }: World): Promise<void> {
  const ids: { id: string; person: Person }[] = [];
  await inTurns(BATCHES, IN_FLIGHT, async (i) => {
    const person = people[i % people.length] as Person;
    const tasks = Array.from({ length: BATCH_TASKS }, (_, n) => ({ title: `Task ${i * BATCH_TASKS + n}` }));
    const { results } = await person.ask<{ results: { task: { id: string } }[] }>('POST', '/tasks/batch', { tasks });
    for (const { task } of results) ids.push({ id: task.id, person });
  });
  for (const { id } of ids) load.promised.push({ taskId: id, type: 'task.created', version: 1 });
  await inTurns(CHANGED, IN_FLIGHT, async (i) => {
    const { id, person } = ids[i * Math.floor(ids.length / CHANGED)] ?? { id: '', person: undefined };
    for (const version of [2, 3]) {
      await person?.ask('PATCH', `/tasks/${id}`, { title: `Changed ${version}` });
      load.promised.push({ taskId: id, type: 'task.updated', version });
    }
  });
}

/** Tells each consumer that has acknowledged all there is; resolves after the last. */
async function caughtUp({ stack }: World, tell: (appId: AppId) => void): Promise<void> {
  const done = new Set<AppId>();
  await eventually(
    async () => {
      await Bun.sleep(LOOK_MS);
      const byApp = Map.groupBy(await stack.sidecars.waiting(), ({ app_id }) => app_id);
      for (const [appId, topics] of byApp) {
        if (done.has(appId) || topics.some(({ lag }) => lag > 0)) continue;
        done.add(appId);
        tell(appId);
      }
      return done.size === byApp.size;
    },
    { ms: DRAIN_MS, what: 'all consumers to catch up' },
  );
}

/** The most memory that each process has had resident. */
async function peaks({ stack }: World): Promise<string[]> {
  const services = stack.names.map((name) => [name, stack.pidOf(name)] as const);
  const lines = [...services, ...stack.sidecars.pids()].map(async ([name, pid]) => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const kilobytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
    return `peak RSS of ${name}: ${Math.round(kilobytes / 1024)} MiB`;
  });
  return Promise.all(lines);
}

const secondsSince = (from: number) => `${((performance.now() - from) / 1000).toFixed(1)} s`;
