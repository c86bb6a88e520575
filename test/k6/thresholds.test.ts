import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodes } from '../support/k6/run.ts';
import { cases, sizes } from './cases.ts';
import { type Faults, startFake } from './fake.ts';
import { performScript, type Performed, realOnPath, runner } from './perform.ts';

const folder = await mkdtemp(join(tmpdir(), 'taskflow-k6-'));
const USERS = join(folder, 'users.ndjson');
await Bun.write(
  USERS,
  Array.from({ length: 60 }, (_, i) => JSON.stringify({ email: `${i}`, token: `${i}` })).join('\n'),
);
const program = realOnPath() ?? runner;
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Each is a process with a script's whole load: more of them would wait for each other. */
const AT_ONCE = 6;
setDefaultTimeout(120_000);
const gate = createGate(AT_ONCE);

/** `lostAfter`: what is late is not to be taken for lost, and what is lost not to be waited for; seconds. */
async function run(script: string, faults: Faults, lostAfter: number): Promise<Performed> {
  const leave = await gate();
  const fake = startFake(faults);
  const places = { USERS, BASE_URL: fake.url, METRICS_URL: `${fake.url}/metrics` };
  try {
    return await performScript(program, script, { ...sizes[script], LOST_AFTER: lostAfter, ...places });
  } finally {
    await fake.stop();
    leave();
  }
}

/** Lets in so many at once; what it answers lets the next one in. */
function createGate(places: number): () => Promise<() => void> {
  const waiting: (() => void)[] = [];
  return async () => {
    if (places === 0) await new Promise<void>((resolve) => void waiting.push(resolve));
    else places--;
    return () => {
      const next = waiting.shift();
      if (next) next();
      else places++;
    };
  };
}

describe.each(Object.keys(sizes))('k6/%s.ts', (name) => {
  const own = cases.filter(([script]) => script === name);

  test.concurrent(
    'has no threshold that none of these faults makes fail; without one all hold that are not of time',
    async () => {
      const { thresholds, failed, exitCode, said } = await run(name, {}, 10);
      const starts = exitCode === 0 || exitCode === exitCodes.thresholds;
      const untimed = failed.filter((threshold) => !/latency|lateness|duration|dropped|count/.test(threshold));
      expect({ untimed, said: starts ? '' : said }).toEqual({ untimed: [], said: '' });
      const seen = new Set(own.flatMap(([, , , expected]) => expected));
      expect(thresholds.filter((threshold) => !seen.has(threshold))).toEqual([]);
    },
  );

  test.concurrent.each(own)('%s: fails when %s', async (script, _, faults, expected) => {
    const { failed, exitCode } = await run(script, faults, faults.streamMs === undefined ? 1 : 10);
    expect({ failed, exitCode }).toEqual({ failed: expect.arrayContaining(expected), exitCode: exitCodes.thresholds });
  });
});
