import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { holdFolder } from '../../services/local/state/folder.ts';
import { stateFolder } from '../../services/local/state/state.ts';
import { median, percentile } from './figures.ts';

/** What was measured in each round, in `unit`. `p99` is of the single works of all rounds, ms, where they were timed. */
export type Row = {
  what: string;
  unit: '/s' | 'ms' | 's' | 'MiB' | 'KiB' | 'us';
  rounds: number[];
  p99?: number;
  /** A physical limit or a peer: what it did in these very rounds, in the same unit. */
  beside?: { what: string; rounds: number[] } | undefined;
};

type Table = { title: string; conditions: string; rows: (Row & { median: number; ratio: number | null })[] };

export type Report = ReturnType<typeof createReport>;

/** Prints the tables of a suite as they are measured; `save` writes them as JSON to `bench/` in the state folder. */
export function createReport(suite: string, isSmall: boolean) {
  const tables: Table[] = [];
  return {
    /** Begins a table. */
    table(title: string, conditions: string): void {
      tables.push({ title, conditions, rows: [] });
      console.log(`\n${title}${isSmall ? ', small' : ''}\n  (${conditions})`);
    },
    row(row: Row): void {
      const told = { ...row, median: median(row.rounds), ratio: ratioOf(row) };
      tables.at(-1)?.rows.push(told);
      console.log(lineOf(told));
    },
    async save(): Promise<void> {
      const folder = stateFolder();
      holdFolder(folder)?.release(); // marks a new one as ours, or `up` would refuse it
      await mkdir(join(folder, 'bench'), { recursive: true, mode: 0o700 });
      const file = join(folder, 'bench', `${suite}.json`);
      const { platform, arch } = process;
      const made = { suite, at: new Date(), isSmall, bun: Bun.version, platform, arch, tables };
      await writeFile(file, `${JSON.stringify(made, null, 2)}\n`);
      console.log(`  written to ${file}`);
    },
  };
}

/** Of each round, so that a neighbour on the machine who slows both down tells in neither; the median of these. */
function ratioOf({ rounds, beside }: Row): number | null {
  if (!beside) return null;
  return median(rounds.map((value, i) => value / (beside.rounds[i] ?? NaN)));
}

function lineOf({ what, unit, rounds, p99, beside, median: middle, ratio }: Table['rows'][number]): string {
  const span = rounds.length > 1 ? ` (${amount(Math.min(...rounds))}-${amount(Math.max(...rounds))})` : '';
  const facts = [
    `${amount(middle)}${unit === '/s' ? '' : ' '}${unit}${span}`,
    ...(p99 === undefined ? [] : [`p99 ${amount(p99)} ms`]),
    ...(beside ? [`${beside.what} ${amount(median(beside.rounds))}, ratio ${(ratio ?? NaN).toFixed(2)}`] : []),
  ];
  return `  ${what.padEnd(44)} ${facts.join('   ')}`;
}

const amount = (value: number): string => (value >= 100 ? String(Math.round(value)) : value.toPrecision(3));

/** Rounds of several works in turn, each given the number of its round. @returns what each told, by round */
export async function interleaved<Name extends string>(
  rounds: number,
  works: Record<Name, (round: number) => Promise<number>>,
): Promise<Record<Name, number[]>> {
  const told = Object.fromEntries(Object.keys(works).map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(works) as Name[]) told[name].push(await works[name](round));
  }
  return told;
}

export const p99Of = (samples: number[]): number => percentile(samples, 0.99);
