import { join } from 'node:path';

/** How small each script runs in `check:k6`. */
export const sizes: Record<string, Record<string, number>> = {
  smoke: {},
  latency: { RATE: 10, DURATION: 3, HELD: 3 },
  streams: { STREAMS: 200, RAMP: 1, HOLD: 9, LEAVE: 2, RATE: 5 },
  recurring: { SERIES: 500, CREATE: 1, MARGIN: 1, TICK: 1, WAIT: 2 },
  reminders: { REMINDERS: 500, CREATE: 1, MARGIN: 1, SPREAD: 1, WAIT: 1 },
  api: { RATE: 10, DURATION: 3 },
  soak: { RATE: 3, DURATION: 3 },
  rollback: { RATE: 4, DURATION: 30, AFTER: 2 },
};

/** The lines in shell blocks of a page that run k6, as they are typed. */
export async function commandsOf(page: string): Promise<string[]> {
  const text = await Bun.file(join(import.meta.dir, '../..', page)).text();
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.split('\n').filter((line) => /^(\w+=\S+ )*k6 run /.test(line)));
}
