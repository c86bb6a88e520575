import { measured, planOf } from './costs.ts';
import type { Report } from './report.ts';
import { type Load, simulate } from './simulation.ts';

/** Assumed, not measured: changes of a person and day, and the part of a day's changes that its busiest hour has. */
const CHANGES = 10;
const BUSIEST_HOUR = 0.25;
const SECONDS = 30;

/** For so many people: copies of each service, partitions of each topic, and processors of Postgres. */
export const sizes = [
  { people: 10_000, replicas: 2, partitions: 3, databaseCores: 2 },
  { people: 100_000, replicas: 2, partitions: 3, databaseCores: 2 },
  { people: 1_000_000, replicas: 4, partitions: 12, databaseCores: 4 },
];

/** Half a minute of the busiest hour, its middle third twice as busy. */
export function busiestTime(people: number): Load {
  const rate = (people * CHANGES * BUSIEST_HOUR) / 3600;
  const isPeak = (second: number) => second >= SECONDS / 3 && second < (2 * SECONDS) / 3;
  return { seconds: SECONDS, rate: (second) => rate * (isPeak(second) ? 2 : 1), people, zipf: 1, seed: 1 };
}

/** What the simulation says of each size, whole and while one copy of chat-api is dead for 20 s of the peak. */
export function simulated({ people, ...size }: (typeof sizes)[number]) {
  const plan = planOf(measured, { ...size, cores: null });
  const load = busiestTime(people);
  const dying = { part: 'chat-api', at: SECONDS / 3, forSeconds: SECONDS / 3, servers: 1 };
  return { load, whole: simulate(plan, load), dead: simulate(plan, { ...load, dying }) };
}

export function reportSizes(report: Report): void {
  for (const size of sizes) {
    const { people, replicas, partitions, databaseCores } = size;
    const { load, whole, dead } = simulated(size);
    report.table(
      `simulated: ${people} people, ${Math.round(load.rate(0))} changes a second, twice as many in the peak`,
      `${replicas} copies of each service, ${partitions} partitions, ${databaseCores} processors of Postgres; ` +
        `${CHANGES} changes a person and day, ${BUSIEST_HOUR} of them in one hour; beside: one copy of chat-api dead in the peak`,
    );
    const row = (what: string, of: (outcome: typeof whole) => number) =>
      report.row({ what, unit: 'ms', rounds: [of(whole)], beside: { what: 'one dead', rounds: [of(dead)] } });
    row('delivered, p50', ({ delivery }) => delivery.p50);
    row('delivered, p99', ({ delivery }) => delivery.p99);
  }
}
