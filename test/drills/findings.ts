import { type Consumer, consumers } from '#shared/events';
import { eventually } from '../support/wait.ts';
import { type Account, account } from './account.ts';
import { type Books, eventsFor } from './books.ts';
import type { Drill } from './drill.ts';
import { type Recovery, recoveryMs } from './recovery.ts';
import type { World } from './world.ts';

/** After everything is settled. */
const WELL_MS = 20_000;

/** The figures of a drill: its account, and what was measured meanwhile. */
export type Figures = Account & {
  /** At least so many deliveries beyond the first, by consumer, absorbed: the meter does not see all. */
  duplicates: Record<Consumer, number>;
  recovery: Recovery;
  /** Of the load generator's own timer, at p99. */
  lateMs: number;
  /** How often a request failed, by its method and how: `POST 503`, `PATCH ECONNRESET`. */
  refused: Record<string, number>;
  /** Sidecars that ended by themselves. */
  ended: string[];
};

export function figuresOf(world: World, books: Books, faultEndedAt: Date): Figures {
  const appIds = Object.keys(consumers) as Consumer[];
  const again = appIds.map((appId) => [appId, Math.max(0, world.meter.takenBy(appId) - eventsFor(appId, books))]);
  const refused = Map.groupBy(world.load.unanswered, (what) => what);
  return {
    ...account(books),
    duplicates: Object.fromEntries(again) as Figures['duplicates'],
    recovery: recoveryMs(books, faultEndedAt),
    lateMs: world.load.lateMs(),
    refused: Object.fromEntries([...refused].map(([what, same]) => [what, same.length])),
    ended: world.stack.sidecars.endedAlone(),
  };
}

/** What a table has no room for. */
export const details = ({ duplicates, recovery, refused }: Figures): string[] => [
  `delivered again, at least: ${listed(duplicates)}`,
  `ms until nothing had waited: ${listed(recovery)}`,
  `refused or unanswered: ${listed(refused)}`,
];

/** All that is wrong, in words; nothing when the drill is passed. */
export async function wrongIn(world: World, drill: Drill, figures: Figures): Promise<string[]> {
  const { lost, doubled, disordered, dead, refused, ended } = figures;
  return [
    ...lost.map((what) => `lost: ${what}`),
    ...doubled.map((what) => `twice: ${what}`),
    ...disordered.map((what) => `out of order: ${what}`),
    ...dead.map((what) => `dead letter: ${what}`),
    ...ended.map((what) => `ended by itself: ${what}`),
    ...unexpected(refused, drill),
    ...(await ailing(world)),
  ];
}

/** REST answers as ever while a sidecar, the broker or a consumer is away. */
export function unexpected(refused: Figures['refused'], { mayRefuse = [] }: Pick<Drill, 'mayRefuse'>): string[] {
  return Object.entries(refused)
    .filter(([what]) => !mayRefuse.some((kind) => what.endsWith(` ${kind}`)))
    .map(([what, count]) => `refused: ${what}, ${count} times`);
}

/** Every process must be as it was: ready, and lack nothing. Asked again for a while, as a probe has 500 ms on a busy machine too. */
async function ailing({ stack }: World): Promise<string[]> {
  const answers = stack.names.map(async (name) => {
    let last = '';
    const isReady = async () => {
      last = await (await fetch(stack.url('/health/ready', name))).text();
      return (JSON.parse(last) as { status: string }).status === 'ready';
    };
    try {
      await eventually(isReady, { ms: WELL_MS, everyMs: 500 });
      return [];
    } catch (error) {
      return [`not well: ${name}: ${last || String(error)}`];
    }
  });
  return (await Promise.all(answers)).flat();
}

const listed = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ') || 'none';
