import { type Consumer, consumers } from '#shared/events';
import { type Account, account } from './account.ts';
import { type Books, eventsFor } from './books.ts';
import type { Drill } from './drill.ts';
import { type Recovery, recoveryMs } from './recovery.ts';
import type { World } from './world.ts';

/** The figures of a drill: its account, and what was measured meanwhile. */
export type Figures = Account & {
  /** Deliveries beyond the first, by consumer: absorbed. */
  duplicates: Record<Consumer, number>;
  recovery: Recovery;
  /** Of the load generator's own timer, at p99. */
  lateMs: number;
  /** How often each answer was none, or a refusal. */
  refused: Record<string, number>;
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
  };
}

/** What a table has no room for. */
export const details = ({ duplicates, recovery, refused }: Figures): string[] => [
  `delivered again: ${listed(duplicates)}`,
  `ms until nothing had waited: ${listed(recovery)}`,
  `refused or unanswered: ${listed(refused)}`,
];

/** All that is wrong, in words; nothing when the drill is passed. */
export async function wrongIn(world: World, drill: Drill, figures: Figures): Promise<string[]> {
  const { lost, doubled, disordered, dead, refused } = figures;
  return [
    ...lost.map((what) => `lost: ${what}`),
    ...doubled.map((what) => `twice: ${what}`),
    ...disordered.map((what) => `out of order: ${what}`),
    ...dead.map((what) => `dead letter: ${what}`),
    // REST answers as ever while a sidecar, the broker or a consumer is away.
    ...(drill.mayRefuse ? [] : Object.entries(refused).map(([what, count]) => `refused: ${what}, ${count} times`)),
    ...(await ailing(world)),
  ];
}

/** Every process must be as it was: ready, and lack nothing. */
async function ailing({ stack }: World): Promise<string[]> {
  const answers = stack.names.map(async (name) => {
    try {
      const text = await (await fetch(stack.url('/health/ready', name))).text();
      return (JSON.parse(text) as { status: string }).status === 'ready' ? [] : [`not well: ${name}: ${text}`];
    } catch (error) {
      return [`not well: ${name}: ${String(error)}`];
    }
  });
  return (await Promise.all(answers)).flat();
}

const listed = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ') || 'none';
