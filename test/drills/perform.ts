import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Consumer, consumers } from '#shared/events';
import { type Account, account } from './account.ts';
import { type Books, eventsFor, readBooks } from './books.ts';
import type { Drill } from './drill.ts';
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
  options.say(
    `the machine was saturated (timers late by ${Math.round(verdict.figures?.lateMs ?? 0)} ms): again at half the rate`,
  );
  return performOnce(drill, { ...options, rate: options.rate / 2 });
}

async function performOnce(drill: Drill, { rate, seed, minutes, say, started }: Options): Promise<Verdict> {
  const from = performance.now();
  const verdict = (reasons: string[], figures?: Figures): Verdict => ({
    drill,
    rate,
    outcome: reasons.length === 0 ? 'passed' : 'failed',
    reasons,
    seconds: (performance.now() - from) / 1000,
    ...(figures && { figures }),
  });
  const starting = startWorld(drill, { rate, random: seeded(seed), minutes });
  started(async () => (await starting).end());
  let world: World | undefined;
  try {
    world = await starting;
    await Bun.sleep(CALM_MS);
    say('the fault begins');
    await drill.run(world, say);
    const faultEndedAt = new Date();
    say('the fault is over');
    await Bun.sleep(CALM_MS);
    await world.load.stop();
    const books = await settledBooks(world, drill.settleMs ?? SETTLE_MS);
    await world.meter.readAll();
    const figures = figuresOf(world, books, faultEndedAt);
    const reasons = [
      ...wrongIn(figures),
      ...(drill.mayRefuse ? [] : refusals(world)),
      ...(drill.judge?.(world, say) ?? []),
    ];
    if (reasons.length > 0) reasons.push(`the logs are in ${await keepLogs(drill, world)}`);
    return verdict(reasons, figures);
  } catch (error) {
    const reasons = [Bun.inspect(error)];
    if (world) reasons.push(`the logs are in ${await keepLogs(drill, world)}`);
    return verdict(reasons);
  } finally {
    await world?.end();
  }
}

/** The books, once nothing is missing in them; or what they are when that takes too long. */
async function settledBooks(world: World, withinMs: number): Promise<Books> {
  const deadline = performance.now() + withinMs;
  await world.stack.settled(withinMs);
  const end = Math.min(deadline, performance.now() + LOST_MS);
  for (;;) {
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

async function keepLogs(drill: Drill, { stack }: World): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `taskflow-drill-${drill.name}-`));
  for (const [name, lines] of Map.groupBy(stack.lines, (line) => line.split(' ')[0] ?? '')) {
    await writeFile(join(folder, `${name.replace('/', '-')}.log`), lines.join('\n'));
  }
  return folder;
}
