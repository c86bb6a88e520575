import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performScript, runner } from '../k6/perform.ts';
import { startEntrance } from '../support/entrance.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { LATE_MS } from './bare.ts';
import { createCrowd, crowdSettings } from './crowd.ts';
import { print } from './figures.ts';
import { startHolder } from './holder.ts';
import { residentKiB } from './memory.ts';

const SAMPLE_MS = 5000;
/** What compilers, caches and pools need until they have what they will have. */
const WARM_SHARE = 0.25;
/** Virtual users of each scenario of `k6/soak.ts`, and the one that looks at memory. */
const usersOf = (rates: number[]) => rates.reduce((sum, rate) => sum + Math.ceil(rate * 2) + 2, 1);

type Sample = { atMinute: number; rssMiB: number; descriptors: number };

/**
 * `k6/soak.ts` by the runner, with idle streams beside: whether memory and descriptors of each service creep, and whether
 * outbox, inbox and audit trail agree in the end.
 */
export async function bench({ isSmall, minutes }: { isSmall: boolean; minutes: number }): Promise<void> {
  const size = isSmall
    ? { rate: 2, lives: 2, streams: 20, seconds: 20 }
    : { rate: 180, lives: 20, streams: 2000, seconds: minutes * 60 };
  const stack = await startStack({
    settings: { 'chat-api': crowdSettings, 'notification-service': crowdSettings },
  });
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-soak-'));
  const holder = startHolder();
  const entrance = startEntrance(({ pathname, search }, init) => fetch(stack.url(pathname) + search, init));
  try {
    const people = await createCrowd(stack.database.sql, size.streams + usersOf([size.rate, size.lives]));
    const [idle, active] = [people.slice(0, size.streams), people.slice(size.streams)];
    const headers = idle.map((member) => member.headers.authorization);
    await holder({ do: 'open', port: stack.ports['notification-service'], headers, stuckEvery: Infinity });
    const users = join(folder, 'users.ndjson');
    const token = (header: string) => header.replace('Bearer ', '');
    await Bun.write(
      users,
      active.map(({ id, headers: own }) => JSON.stringify({ email: id, token: token(own.authorization) })).join('\n'),
    );

    console.log(
      `\nsoak: ${size.rate + size.lives} creates a second for ${size.seconds} s, ${size.lives} of them the beginning of a whole life, ${size.streams} idle streams`,
    );
    const watched = watch(stack);
    const { failed, said } = await performScript(runner, 'soak', {
      RATE: size.rate,
      LIVES: size.lives,
      DURATION: size.seconds,
      USERS: users,
      BASE_URL: entrance.url.origin,
      METRICS_URL: stack.url('/metrics', 'notification-service'),
    });
    const samples = watched.stop();
    console.log(said.trimEnd());
    console.log(failed.length === 0 ? '  every threshold of k6/soak.ts held' : `  failed: ${failed.join(', ')}`);
    for (const [name, each] of samples) printCreep(name, each.filter(isWarm(size.seconds)));
    await stack.settled(LATE_MS);
    await printBooks(stack);
  } finally {
    holder.end();
    await entrance.stop(true);
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Looks at each service again and again. */
function watch({ names, pidOf }: RunningStack) {
  const samples = new Map<string, Sample[]>(names.map((name) => [name, []]));
  const startedAt = performance.now();
  const timer = setInterval(() => {
    for (const [name, each] of samples) {
      const pid = pidOf(name);
      if (pid === undefined) continue;
      each.push({
        atMinute: (performance.now() - startedAt) / 60_000,
        rssMiB: residentKiB(pid) / 1024,
        descriptors: readdirSync(`/proc/${pid}/fd`).length,
      });
    }
  }, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return samples;
    },
  };
}

const isWarm =
  (seconds: number) =>
  ({ atMinute }: Sample): boolean =>
    atMinute * 60 >= seconds * WARM_SHARE;

function printCreep(name: string, samples: Sample[]): void {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return;
  const descriptors = samples.map((sample) => sample.descriptors);
  print(
    name,
    `${first.rssMiB.toFixed(0)} to ${last.rssMiB.toFixed(0)} MiB, ${slope(samples).toFixed(2)} MiB a minute`,
    `descriptors ${Math.min(...descriptors)} to ${Math.max(...descriptors)}`,
  );
}

/** Of the line through all samples (least squares). */
function slope(samples: Sample[]): number {
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, each) => sum + of(each), 0) / samples.length;
  const [middle, level] = [mean(({ atMinute }) => atMinute), mean(({ rssMiB }) => rssMiB)];
  const spread = (of: (sample: Sample) => number) =>
    samples.reduce((sum, each) => sum + (each.atMinute - middle) * of(each), 0);
  return spread(({ rssMiB }) => rssMiB - level) / spread(({ atMinute }) => atMinute - middle);
}

/** Each event in all books, once. */
async function printBooks({ database: { sql } }: RunningStack): Promise<void> {
  const [books] = await sql<Record<'tasks' | 'events' | 'inbox' | 'twice' | 'trail' | 'letters', number>[]>`
    select (select count(*) from tasks)::int as tasks,
      (select count(*) from outbox)::int as events,
      (select count(distinct event_id) from notifications)::int as inbox,
      (select count(*) - count(distinct event_id) from notifications)::int as twice,
      (select count(distinct event_id) from task_events)::int as trail,
      (select count(*) from dead_letters)::int as letters`;
  if (!books) return;
  const { tasks, events, inbox, twice, trail, letters } = books;
  print('tasks, events', `${tasks}, ${events}`);
  print('of the events in the inbox, in the trail', `${inbox}, ${trail}`, `twice ${twice}, dead letters ${letters}`);
  print('lost', `${2 * events - inbox - trail}`);
}
