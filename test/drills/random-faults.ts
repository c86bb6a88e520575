import { type Consumer, consumers, events, eventTypes } from '#shared/events';
import { eventually } from '../support/wait.ts';
import type { Drill } from './drill.ts';
import { type Random, seeded } from './random.ts';
import type { World } from './world.ts';

/** What happens to one replica of a consumer, to its sidecar, or to both. */
const faults = ['kill', 'hold', 'fail', 'hang', 'sidecar-term', 'sidecar-kill', 'pod'] as const;

/** A fault of one replica, how long it lasts where that is ours to say, and the peace after it. */
export type Step = { fault: (typeof faults)[number]; replica: number; downMs: number; upMs: number };

const REPLICAS = 2;
/**
 * So many that nobody's stream is ever the 1000 rows behind that it answers by a gap: at 100 creates a second ten minutes without a
 * consumer are 700 rows a person.
 */
const PEOPLE = 120;
/** One after each quarter of the time. */
const outages = ['stop', 'kill', 'stop'] as const;
const BROKER_STOPPED_MS = 15_000;
/** So many promised events are followed by a poison one. */
const POISON_EVERY = 97;
/** An outage of Kafka, whose start may take minutes on a busy machine, and one of the producer's sidecar. */
const PUBLISH_MS = 240_000;

const appIds = Object.keys(consumers) as Consumer[];

/** Every consumer in trouble, Kafka away now and then, and poison among the events. */
export const randomFaults: Drill = {
  name: 'random-faults',
  about: 'random faults of every consumer, its sidecar and Kafka for --minutes, with poison among the events',
  seconds: 900,
  replicas: Object.fromEntries(appIds.map((appId) => [appId, REPLICAS])),
  people: PEOPLE,
  withEdges: true,
  mayRefuse: ['ECONNRESET'], // by a chat-api that is killed
  settleMs: 240_000,
  async run(world, say) {
    const endsAt = performance.now() + world.minutes * 60_000;
    let hasFailed = false;
    const goesOn = () => !hasFailed && performance.now() < endsAt;
    const lanes = [
      ...appIds.map((appId) => trouble(world, appId, goesOn, say)),
      brokerOutages(world, goesOn, say),
      poison(world, goesOn),
    ];
    for (const lane of lanes) lane.catch(() => (hasFailed = true));
    // All of them: none may start a process when the drill is over.
    const failed = (await Promise.allSettled(lanes)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
    for (const appId of appIds) say(deliveries(world, appId));
  },
};

type Say = (line: string) => void;

async function trouble(world: World, appId: Consumer, goesOn: () => boolean, say: Say): Promise<void> {
  // A chance of its own: its plan is the same however long the others take.
  const plan = steps(seeded(Math.floor(world.random() * 2 ** 32)));
  for (const step of plan) {
    if (!goesOn()) return;
    const name = world.replicasOf(appId)[step.replica] ?? appId;
    say(`${name}: ${step.fault}`);
    await suffer(world, name, step);
    await Bun.sleep(step.upMs);
  }
}

/** Without end; the same for the same chance. */
export function* steps(random: Random): Generator<Step, never> {
  const below = (count: number) => Math.floor(random() * count);
  for (;;) {
    yield {
      fault: faults[below(faults.length)] ?? 'kill',
      replica: below(REPLICAS),
      downMs: 1000 + below(6000),
      upMs: 300 + below(4000),
    };
  }
}

async function suffer(world: World, name: string, { fault, downMs }: Step): Promise<void> {
  const { sidecars } = world.stack;
  const edge = world.edgeOf(name);
  switch (fault) {
    case 'kill':
      await world.kill(name);
      await edge.goAway();
      await Bun.sleep(downMs);
      await world.start(name);
      return edge.comeBack();
    case 'pod':
      await world.stopPod(name);
      return void (await world.startPod(name));
    case 'sidecar-term':
      await sidecars.stopSidecar(name);
      return sidecars.startSidecar(name);
    case 'sidecar-kill':
      await sidecars.killSidecar(name);
      return sidecars.startSidecar(name);
    default:
      edge.set(fault);
      await Bun.sleep(downMs);
      return edge.set('up');
  }
}

async function brokerOutages(world: World, goesOn: () => boolean, say: Say): Promise<void> {
  const broker = world.stack.sidecars.broker();
  for (const outage of outages) {
    const from = performance.now();
    const pauseMs = (world.minutes * 60_000) / (outages.length + 1);
    while (goesOn() && performance.now() < from + pauseMs) await Bun.sleep(100);
    if (!goesOn()) return;
    say(`kafka: ${outage}`);
    await broker[outage]();
    if (outage === 'stop') await Bun.sleep(BROKER_STOPPED_MS);
    await broker.start();
    say('kafka: back');
  }
}

async function poison(world: World, goesOn: () => boolean): Promise<void> {
  for (let published = 0; goesOn();) {
    if (world.load.promised.length < (published + 1) * POISON_EVERY) await Bun.sleep(100);
    else await publishPoison(world, eventTypes[published++ % eventTypes.length] ?? 'task.created');
  }
}

/** As its producer, under one id until it is accepted. Each consumer of the topic must refuse it. */
async function publishPoison({ stack, expectDead }: World, type: (typeof eventTypes)[number]): Promise<void> {
  const { topic, producer } = events[type];
  const id = crypto.randomUUID();
  const data = { event_type: type, event_id: id };
  await eventually(() => stack.publishRaw(producer, topic, data, id), { ms: PUBLISH_MS, what: `${topic} to take it` });
  for (const appId of appIds) if (consumers[appId].some((each) => each === type)) expectDead(appId, id);
}

/** What all replicas of a consumer were offered and took. */
function deliveries(world: World, appId: Consumer): string {
  const edges = world.replicasOf(appId).map(world.edgeOf);
  const offered = edges.reduce((sum, edge) => sum + edge.offered(), 0);
  const counts = edges.flatMap(({ taken }) => [...taken]);
  const taken = counts.reduce((sum, [, count]) => sum + count, 0);
  const different = new Set(counts.map(([event]) => event)).size;
  return `${appId}: offered ${offered}, took ${taken} of ${different} events, ${taken - different} of them again`;
}
