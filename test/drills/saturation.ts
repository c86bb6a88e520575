import type { Verdict } from './perform.ts';

/** The load generator itself was later than that at p99: the machine was saturated. */
const SATURATED_MS = 250;

/**
 * Runs a drill; once more at half the rate when the machine was saturated, as times say nothing then, and only that one
 * counts. But an event that is lost, there twice, out of order or dead is wrong on any machine, and so is a sidecar that ends.
 */
export async function unsaturated(
  rate: number,
  run: (rate: number) => Promise<Verdict>,
  say: (line: string) => void,
): Promise<Verdict> {
  const first = await run(rate);
  if (!isSaturated(first)) return first;
  if (isWrongAnywhere(first)) return { ...first, saturatedAt: [rate] };
  say('the machine was saturated: again at half the rate');
  for (const reason of first.reasons) say(`not counted: ${reason}`);
  const second = await run(rate / 2);
  return { ...second, saturatedAt: isSaturated(second) ? [rate, rate / 2] : [rate] };
}

const isSaturated = ({ figures }: Verdict) => figures !== undefined && figures.lateMs > SATURATED_MS;

const isWrongAnywhere = ({ figures }: Verdict) =>
  figures !== undefined &&
  [figures.lost, figures.doubled, figures.disordered, figures.dead, figures.ended].some(({ length }) => length > 0);
