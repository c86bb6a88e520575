import { type Consumer, eventTypes } from '#shared/events';
import { MAX_EVENTS } from '#shared/delivery';
import { longestChange } from '../support/bulk.ts';
import type { Drill } from './drill.ts';
import type { Offer } from './edge.ts';
import { allTypesHaveCome, bulkConsumers, pile, remindersPublished } from './pile.ts';
import { publishPoison } from './poison.ts';
import type { World } from './world.ts';

/** Of each topic, so that each of its three partitions has a full batch of them. */
const EACH = 300;
/** Of each kind in each topic: where they end up is chance, and most are to lie between others. */
const POISON = 3;
/** A change from one longest text to another, with the task beside it. */
const LONGEST_BYTES = 90_000;
/** Kafka brings a megabyte at a time: how many are there when a batch goes is chance; six measured had 77 to 100. */
const LONGEST_TOGETHER = MAX_EVENTS / 2;
const AWAY_MS = 300_000;
const SETTLE_MS = 240_000;

/** What cannot be handled lies between good events, in batches as large as there are. */
const poisonWithin: Drill = {
  name: 'poison-in-full-batches',
  about: 'consumers find a pile in each topic, with invalid events and such that handlers refuse in the middle of it',
  seconds: 150,
  withEdges: true,
  withoutLoad: true,
  async run(world, say) {
    await pile(world, 1);
    await allTypesHaveCome(world);
    await each(stopSidecar, world);
    await pile(world, EACH);
    await startSidecar(world, 'reminder-service'); // it makes a pile of its own
    await remindersPublished(world);
    const reminders = await poisonOf(world, ['task.reminder.triggered']);
    await stopSidecar(world, 'reminder-service');
    await pile(world, EACH);
    const tasks = await poisonOf(
      world,
      eventTypes.filter((type) => type !== 'task.reminder.triggered'),
    );
    await pile(world, EACH);
    await each(startSidecar, world);
    await world.stack.settled(SETTLE_MS);
    for (const kind of ['invalid', 'refused'] as const) {
      const published = [...reminders, ...tasks].map((pair) => pair[kind]);
      for (const appId of bulkConsumers) {
        const ids = published.filter((id) => world.poison.some((each) => each.appId === appId && each.eventId === id));
        const within = inTheMiddle(offersTo(world, appId), ids);
        say(
          `${appId}: ${within.length} of ${ids.length} ${kind} events came in the middle of a batch of ${MAX_EVENTS}`,
        );
        if (within.length === 0) throw new Error(`no full batch of ${appId} had one that is ${kind} in its middle`);
      }
    }
  },
};

/** Bodies of many megabytes. */
const longest: Drill = {
  name: 'longest-in-full-batches',
  about: 'consumers find a pile of the longest events that there can be',
  seconds: 150,
  withEdges: true,
  withoutLoad: true,
  withoutStreams: true,
  async run(world) {
    await each(stopSidecar, world);
    const { task } = longestChange();
    await pile(world, EACH, [
      task,
      { ...task, title: `y${task.title.slice(1)}`, description: `y${task.description.slice(1)}` },
    ]);
    await each(startSidecar, world);
  },
  judge: (world, say) =>
    bulkConsumers.flatMap((appId) => {
      const { events, bytes } = largest(offersTo(world, appId));
      const found = `${appId}: at most ${(bytes / 1024 / 1024).toFixed(1)} MiB in one delivery, of ${events.length} events`;
      say(found);
      return bytes > LONGEST_TOGETHER * LONGEST_BYTES ? [] : [found];
    }),
};

/** All that they have in hand comes again until there is a database. */
const withoutDatabase: Drill = {
  name: 'postgres-away-full-batches',
  about: `consumers find a pile while Postgres is away, for ${AWAY_MS / 60_000} minutes`,
  seconds: 420,
  withEdges: true,
  mayRefuse: ['503'], // CONTRACT 10
  settleMs: SETTLE_MS,
  async run(world, say) {
    await each(stopSidecar, world);
    await pile(world, EACH);
    await world.server.stop();
    const before = new Map(bulkConsumers.map((appId) => [appId, offersTo(world, appId).length]));
    await each(startSidecar, world);
    await Bun.sleep(AWAY_MS);
    for (const [appId, count] of before) {
      const full = offersTo(world, appId)
        .slice(count)
        .filter(({ events }) => events.length === MAX_EVENTS);
      say(`${appId}: a full batch was offered ${full.length} times in vain`);
      if (full.length === 0) throw new Error(`${appId} was offered no full batch while Postgres was away`);
    }
    await world.server.start();
  },
};

export const batchDrills = [poisonWithin, longest, withoutDatabase];

const each = (work: (world: World, appId: Consumer) => Promise<void>, world: World) =>
  Promise.all(bulkConsumers.map((appId) => work(world, appId)));
const stopSidecar = (world: World, appId: Consumer) => world.stack.sidecars.stopSidecar(appId);
const startSidecar = (world: World, appId: Consumer) => world.stack.sidecars.startSidecar(appId);

type Poison = Awaited<ReturnType<typeof publishPoison>>;

async function poisonOf(world: World, types: typeof eventTypes): Promise<Poison[]> {
  const published: Poison[] = [];
  for (const type of types) for (let i = 0; i < POISON; i++) published.push(await publishPoison(world, type));
  return published;
}

const offersTo = (world: World, appId: Consumer): Offer[] => world.edgeOf(appId).offers;

/** Those of these events that came, when they came first, in a full batch with others before and behind them. */
export function inTheMiddle(offers: Offer[], ids: string[], full = MAX_EVENTS): string[] {
  return ids.filter((id) => {
    const { events = [] } = offers.find((offer) => offer.events.some(is(id))) ?? {};
    const place = events.findIndex(is(id));
    return events.length === full && place > 0 && place < full - 1;
  });
}

/** An edge names an event by route and id. */
const is = (id: string) => (event: string) => event.endsWith(` ${id}`);

const largest = (offers: Offer[]): Offer =>
  offers.reduce((most, offer) => (offer.bytes > most.bytes ? offer : most), { events: [], bytes: 0 });
