import { bypassProxy } from '#shared/loopback';
import { commandOrExit, bun, createProgress, exitWith } from '../../services/local/machine/command-line.ts';
import { Refusal } from '../../services/local/machine/refusal.ts';
import { watchSignals } from '../../services/local/machine/signals.ts';
import { realPartsOrExit } from '../../services/local/real/parts.ts';
import { drills } from './catalogue.ts';
import type { Drill } from './drill.ts';
import { perform, type Verdict } from './perform.ts';
import { seeded, shuffled } from './random.ts';
import { heading, legend, row } from './table.ts';

// bun run drills [name …] [--seed N] [--rate N] [--minutes N] [--of-commit]: faults on daprd and Kafka while tasks are created, each with an account of
// every event. The last line is the verdict, `N passed, N failed, N skipped`; the exit code says the same.
// Its script raises BUN_CONFIG_MAX_HTTP_REQUESTS: with Bun's 256 at once, requests to a service that hangs hold up all others.

const RATE = 100;
const MINUTES = 10;
/**
 * A landing has so many drills, and none that takes longer than this: those are for a person to run. The two longest take four
 * minutes together, a usual two take two and a half.
 */
const OF_COMMIT = 2;
const OF_COMMIT_SECONDS = 130;
const REASONS_SHOWN = 30;
/** As a shell has it of SIGINT. */
const INTERRUPTED = 130;

type Conditions = { seed: number; rate: number; minutes: number };

bypassProxy(process.env);
const say = createProgress();

try {
  const { chosen, ...conditions } = readCommand();
  await realPartsOrExit(say);
  process.exit(await runAll(chosen, conditions));
} catch (error) {
  exitWith(error);
}

async function runAll(chosen: Drill[], conditions: Conditions): Promise<number> {
  const signals = watchSignals();
  signals.onHurry(() => process.exit(INTERRUPTED)); // nothing outlives this process
  let end = async () => {};
  void signals.first.then(async (reason) => {
    say(`${reason}: stopping`);
    await end().catch((error: unknown) => say(`not everything ended: ${Bun.inspect(error)}`));
    process.exit(INTERRUPTED);
  });

  console.log(`seed ${conditions.seed}, ${conditions.rate} creates a second\n${legend}\n\n${heading()}`);
  const verdicts: Verdict[] = [];
  for (const drill of chosen) {
    say(`${drill.name}: ${drill.about}`);
    const verdict = await perform(drill, { ...conditions, say, started: (then) => (end = then) });
    if (signals.isStopping()) return INTERRUPTED;
    verdicts.push(verdict);
    console.log(row(verdict));
    for (const reason of abridged(verdict.reasons)) console.log(`  ${reason}`);
  }
  const count = (outcome: Verdict['outcome']) => verdicts.filter((verdict) => verdict.outcome === outcome).length;
  console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  return count('failed') > 0 ? 1 : 0;
}

/** All of them are in the folder that the last one names. */
function abridged(reasons: string[]): string[] {
  if (reasons.length <= REASONS_SHOWN) return reasons;
  return [...reasons.slice(0, REASONS_SHOWN), `… and ${reasons.length - REASONS_SHOWN - 1} more`, ...reasons.slice(-1)];
}

/** Which drills, in which order. */
function readCommand(): { chosen: Drill[] } & Conditions {
  const text = { type: 'string' } as const;
  const { values, words: names } = commandOrExit({
    name: 'drills',
    usage: usage(),
    flags: { 'of-commit': { type: 'boolean' }, seed: text, rate: text, minutes: text },
    refuse: (word) => (drills.some(({ name }) => name === word) ? undefined : `There is no drill ${word}`),
  });
  const rate = numberOf('--rate', values.rate ?? String(RATE));
  const minutes = numberOf('--minutes', values.minutes ?? String(MINUTES));
  const commit = values['of-commit'] ? headCommit() : undefined;
  const seed = values.seed
    ? numberOf('--seed', values.seed)
    : commit
      ? Number.parseInt(commit.slice(0, 8), 16)
      : Date.now() % 2 ** 32;
  const random = seeded(seed);
  const asked = names.length > 0 ? drills.filter(({ name }) => names.includes(name)) : drills;
  if (!commit) return { chosen: shuffled(asked, random), seed, rate, minutes };
  const short = asked.filter(({ seconds }) => seconds <= OF_COMMIT_SECONDS);
  return { chosen: shuffled(short, random).slice(0, OF_COMMIT), seed, rate, minutes };
}

function numberOf(name: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Refusal(`${name} must be a whole number above 0, not ${JSON.stringify(text)}.`);
}

function headCommit(): string {
  const { stdout, success } = Bun.spawnSync(['git', 'rev-parse', 'HEAD'], { cwd: import.meta.dir });
  if (!success) throw new Refusal('--of-commit needs a git checkout.');
  return stdout.toString().trim();
}

function usage(): string {
  const lines = drills.map(
    ({ name, about, seconds }) => `  ${name.padEnd(36)} ${String(seconds).padStart(4)} s  ${about}`,
  );
  return `${bun} run drills [name …] [--seed N] [--rate N] [--minutes N] [--of-commit]

  --seed N     the same order and the same chance again (default: of the clock; it is printed)
  --rate N     creates a second (default ${RATE})
  --minutes N  how long the random faults go on (default ${MINUTES})
  --of-commit  ${OF_COMMIT} of those of at most ${OF_COMMIT_SECONDS} s, chosen by the commit that is checked out

${lines.join('\n')}`;
}
