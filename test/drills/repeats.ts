import type { Drill } from './drill.ts';
import type { Edge } from './edge.ts';
import { bulkConsumers } from './pile.ts';
import type { World } from './world.ts';

const APART_MS = 500;
/** Events that come while their repetitions do, then a pile of both, then the same as at first. */
const PHASES_MS = [20_000, 15_000, 10_000] as const;
/** So many of those that come meanwhile: a fifth of all, as some come before and some after. */
const ONE_OF = 4;
const LEAST_SHARE = 0.15;

/** As after a publisher that dies, again and again, between what it published and its note of that. */
export const repeats: Drill = {
  name: 'published-twice',
  about: 'a fifth of the events is published twice, also while consumers are away and find both in one pile',
  seconds: 90,
  withEdges: true,
  async run(world) {
    const sidecars = bulkConsumers.flatMap(world.replicasOf);
    const [flowing, piling, last] = PHASES_MS;
    await world.stack.database.sql`create table repeated (id text primary key)`; // what was repeated once is not again
    await repeatFor(world, flowing);
    await Promise.all(sidecars.map(world.stack.sidecars.stopSidecar));
    await repeatFor(world, piling);
    await Promise.all(sidecars.map(world.stack.sidecars.startSidecar));
    await repeatFor(world, last);
  },
  judge: (world, say) =>
    bulkConsumers.flatMap((appId) => {
      const edges = world.replicasOf(appId).map(world.edgeOf);
      const { share, together } = repeated(edges);
      say(`${appId}: ${Math.round(share * 100)} % came again, ${together} in the batch of the first`);
      return share < LEAST_SHARE ? [`only ${Math.round(share * 100)} % came twice to ${appId}`] : [];
    }),
};

async function repeatFor(world: World, ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end;) {
    await publishAgain(world);
    await Bun.sleep(APART_MS);
  }
}

/** Takes back that one of four events was published, each once: those whose number or name says so. */
async function publishAgain({ stack }: World): Promise<void> {
  const { sql } = stack.database;
  await sql`
    with again as (
      insert into repeated select event_id::text from outbox where sent_at is not null and seq % ${ONE_OF}::int = 0
      on conflict do nothing returning id)
    update outbox set sent_at = null where event_id::text in (select id from again)`;
  await sql`
    with again as (
      insert into repeated
      select reminder_id::text from reminder_schedule where published_at is not null and hashtext(reminder_id::text) % ${ONE_OF}::int = 0
      on conflict do nothing returning id)
    update reminder_schedule set published_at = null where reminder_id::text in (select id from again)`;
}

/** The share of the events that were offered more than once, and how many of them twice in one batch. */
export function repeated(edges: Pick<Edge, 'offers'>[]): { share: number; together: number } {
  const offers = edges.flatMap((edge) => edge.offers.map(({ events }) => events));
  const all = offers.flat();
  const different = new Set(all).size;
  const together = offers.reduce((sum, events) => sum + events.length - new Set(events).size, 0);
  return { share: different === 0 ? 0 : (all.length - different) / different, together };
}
