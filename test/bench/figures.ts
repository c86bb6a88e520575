/** The value below which `share` (0 to 1) of the samples lie; NaN of none. */
export function percentile(samples: number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Between looks at a count of thousands of rows: every 10 ms, counting was a quarter of Postgres's work. */
export const LOOK_MS = 100;

export const median = (samples: number[]): number => percentile(samples, 0.5);

export const ms = (value: number): string => `${value.toFixed(1)} ms`;

/** A line of the report: what, the figure, and what it is compared with. */
export function print(what: string, figure: string, beside = ''): void {
  console.log(`  ${what.padEnd(46)} ${figure}${beside && `   (${beside})`}`);
}

/** Keeps `inFlight` of `work` running for `seconds` (closed loop). @returns how many ended a second */
export async function perSecond(inFlight: number, seconds: number, work: () => Promise<unknown>): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  const loop = async () => {
    for (; performance.now() < end; done++) await work();
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, loop));
  return (done / (performance.now() - startedAt)) * 1000;
}
