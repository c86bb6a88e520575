import { type Consumer, consumers } from '#shared/events';
import { type Account, account } from './account.ts';
import { type Books, eventsFor, readBooks } from './books.ts';
import type { Drill } from './drill.ts';
import { keepLogs } from './logs.ts';
import { seeded } from './random.ts';
import { recoveryMs } from './recovery.ts';
import { startWorld, type World } from './world.ts';

/** How a drill ended, with its figures when it came so far. */
export type Verdict = {
  drill: Drill;
  rate: number;
  outcome: 'passed' | 'failed' | 'skipped';
  /** What is wrong, in words; why it was skipped. */
  reasons: string[];
  seconds: number;
  figures?: Figures;
  /** The rate at which the machine could not follow; `rate` is half of it. */
  saturatedAt?: number;
};
export type Figures = Account & { duplicates: number; recoveryMs: number; lateMs: number; refused: number };

/** Of load before the fault, and after it. */
const CALM_MS = 5000;
const SETTLE_MS = 150_000;
/** Everything is acknowledged and something is still not there: it is lost. A reminder is published again after 15 s. */
const LOST_MS = 20_000;
/** The load generator itself was later than that at p99: the machine was saturated, and what happened says nothing. */
const SATURATED_MS = 250;

type Options = {
  rate: number;
  seed: number;
  minutes: number;
  say: (line: string) => void;
  /** Called with what ends all that a drill has started, for whoever is interrupted meanwhile. */
  started: (end: () => Promise<void>) => void;
};

/** Runs a drill; once more at half the rate when the machine was saturated, and only that one counts. */
export async function perform(drill: Drill, options: Options): Promise<Verdict> {
  if (drill.linuxOnly && process.platform !== 'linux') {
    return { drill, rate: options.rate, outcome: 'skipped', reasons: ['needs Linux'], seconds: 0 };
  }
  const verdict = await performOnce(drill, options);
  if ((verdict.figures?.lateMs ?? 0) <= SATURATED_MS) return verdict;
  options.say('the machine was saturated: again at half the rate');
  return { ...(await performOnce(drill, { ...options, rate: options.rate / 2 })), saturatedAt: options.rate };
}

async function performOnce(drill: Drill, { rate, seed, minutes, say, started }: Options): Promise<Verdict> {
  const from = performance.now();
  const starting = startWorld(drill, { rate, random: seeded(seed), minutes });
  started(async () => (await starting).end());
  const wrong: string[] = [];
  let world: World | undefined;
  let figures: Figures | undefined;
  try {
    world = await starting;
    await Bun.sleep(CALM_MS);
    say('the fault begins');
    await drill.run(world, say);
    const faultEndedAt = new Date();
    say('the fault is over');
    await Bun.sleep(CALM_MS);
    await world.load.stop();
    await world.stack.settled(drill.settleMs ?? SETTLE_MS).catch((error: unknown) => wrong.push(Bun.inspect(error)));
    const books = await fullBooks(world);
    await world.meter.readAll();
    figures = figuresOf(world, books, faultEndedAt);
    wrong.push(...wrongIn(figures), ...(await ailing(world)));
    if (!drill.mayRefuse) wrong.push(...refusals(world));
    if (drill.judge) wrong.push(...drill.judge(world, say));
  } catch (error) {
    wrong.push(Bun.inspect(error));
  }
  const logs = world && wrong.length > 0 ? await keepLogs(drill.name, world.stack.lines, wrong) : undefined;
  await world?.end().catch((error: unknown) => wrong.push(`not everything ended: ${Bun.inspect(error)}`));
  return {
    drill,
    rate,
    outcome: wrong.length === 0 ? 'passed' : 'failed',
    reasons: logs ? [...wrong, `the logs are in ${logs}`] : wrong,
    seconds: (performance.now() - from) / 1000,
    ...(figures && { figures }),
  };
}

/** The books once nothing is missing in them, or what they are after 20 s. */
async function fullBooks(world: World): Promise<Books> {
  for (const end = performance.now() + LOST_MS; ;) {
    const books = await readBooks(world);
    if (account(books).lost.length === 0 || performance.now() > end) return books;
    await Bun.sleep(500);
  }
}

function figuresOf(world: World, books: Books, faultEndedAt: Date): Figures {
  const duplicates = (Object.keys(consumers) as Consumer[]).map((appId) =>
    Math.max(0, world.meter.takenBy(appId) - eventsFor(appId, books)),
  );
  return {
    ...account(books),
    duplicates: duplicates.reduce((sum, count) => sum + count, 0),
    recoveryMs: recoveryMs(books, faultEndedAt),
    lateMs: world.load.lateMs(),
    refused: world.load.unanswered.length,
  };
}

function wrongIn({ lost, doubled, disordered, dead }: Account): string[] {
  const kinds = { lost, doubled, 'out of order': disordered, 'dead letter': dead };
  return Object.entries(kinds).flatMap(([kind, found]) => found.map((what) => `${kind}: ${what}`));
}

/** REST answers as ever while a sidecar, the broker or a consumer is away. */
function refusals({ load }: World): string[] {
  const counts = Map.groupBy(load.unanswered, (what) => what);
  return [...counts].map(([what, same]) => `refused or unanswered: ${what}, ${same.length} times`);
}

/** Every process is as it was: ready, and lacks nothing. */
async function ailing({ stack }: World): Promise<string[]> {
  const answers = stack.names.map(async (name) => {
    try {
      const text = await (await fetch(stack.url('/health/ready', name))).text();
      return { name, text, isWell: (JSON.parse(text) as { status: string }).status === 'ready' };
    } catch (error) {
      return { name, text: String(error), isWell: false };
    }
  });
  return (await Promise.all(answers))
    .filter(({ isWell }) => !isWell)
    .map(({ name, text }) => `not well: ${name}: ${text}`);
}
