import { account } from './account.ts';
import { type Books, readBooks } from './books.ts';
import type { Drill } from './drill.ts';
import { details, type Figures, figuresOf, wrongIn } from './findings.ts';
import { keepLogs } from './logs.ts';
import { untilFull } from './patience.ts';
import { seeded } from './random.ts';
import { unsaturated } from './saturation.ts';
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
  /** The rates at which the machine could not follow. */
  saturatedAt?: number[];
};

/** Of load before the fault, and after it. */
const CALM_MS = 5000;
const SETTLE_MS = 150_000;
/** Everything is acknowledged, and for so long no more of it comes: it is lost. A reminder is published again after 15 s. */
const LOST_MS = 20_000;
/** Twice what a stream needs that is as far behind as it may be. */
const CATCH_UP_MS = 200_000;

type Options = {
  rate: number;
  seed: number;
  minutes: number;
  say: (line: string) => void;
  /** Called with what ends all that a drill has started, for whoever is interrupted meanwhile. */
  started: (end: () => Promise<void>) => void;
};

/** Runs a drill, if need be once more at a rate that the machine can follow. */
export async function perform(drill: Drill, options: Options): Promise<Verdict> {
  if (drill.linuxOnly && process.platform !== 'linux') {
    return { drill, rate: options.rate, outcome: 'skipped', reasons: ['needs Linux'], seconds: 0 };
  }
  return unsaturated(options.rate, (rate) => performOnce(drill, { ...options, rate }), options.say);
}

async function performOnce(drill: Drill, { rate, seed, minutes, say, started }: Options): Promise<Verdict> {
  const from = performance.now();
  const starting = startWorld(drill, { rate, random: seeded(seed), minutes });
  // What does not start has closed by itself what it had opened.
  started(() =>
    starting.then(
      ({ end }) => end(),
      () => {},
    ),
  );
  const wrong: string[] = [];
  let world: World | undefined;
  let figures: Figures | undefined;
  try {
    world = await starting;
    const faultEndedAt = await underLoad(world, drill, say);
    await world.stack.settled(drill.settleMs ?? SETTLE_MS).catch((error: unknown) => wrong.push(Bun.inspect(error)));
    const books = await fullBooks(world);
    await world.meter.readAll();
    figures = figuresOf(world, books, faultEndedAt);
    for (const line of details(figures)) say(line);
    wrong.push(...(await wrongIn(world, drill, figures)), ...(drill.judge?.(world, say) ?? []));
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

/** @returns when the fault was over */
async function underLoad(world: World, drill: Drill, say: Options['say']): Promise<Date> {
  await Bun.sleep(CALM_MS);
  say('the fault begins');
  await drill.run(world, say);
  const faultEndedAt = new Date();
  say('the fault is over');
  await Bun.sleep(CALM_MS);
  await world.load.stop();
  return faultEndedAt;
}

const fullBooks = (world: World): Promise<Books> =>
  untilFull(() => readBooks(world), {
    missing: (books) => account(books).lost.length,
    ms: LOST_MS,
    atMostMs: CATCH_UP_MS,
  });
