import { readDuration } from './thresholds.ts';

/** `options.scenarios` of k6, of which the runner knows these executors. */
export type Plan = SharedIterations | PerVuIterations | ConstantArrivalRate;
type Common = { exec: string; startTime: number; gracefulStop: number };
type SharedIterations = Common & {
  executor: 'shared-iterations';
  vus: number;
  iterations: number;
  maxDuration: number;
};
type PerVuIterations = Common & { executor: 'per-vu-iterations'; vus: number; iterations: number; maxDuration: number };
type ConstantArrivalRate = Common & {
  executor: 'constant-arrival-rate';
  rate: number;
  timeUnit: number;
  duration: number;
  preAllocatedVUs: number;
  maxVUs: number;
};

const bounded = { vus: 1, iterations: 1, maxDuration: '10m' };
/** Each with what its options are when they are not given; null: they must be. */
const known: Record<Plan['executor'], Record<string, string | number | null>> = {
  'shared-iterations': bounded,
  'per-vu-iterations': bounded,
  'constant-arrival-rate': { rate: null, timeUnit: '1s', duration: null, preAllocatedVUs: null, maxVUs: 0 },
};
const common = { exec: 'default', startTime: '0s', gracefulStop: '30s' };
const durations = ['startTime', 'gracefulStop', 'maxDuration', 'timeUnit', 'duration'];

/** k6 refuses a shorter scenario. */
const SHORTEST_MS = 1000;

/** Reads one scenario. Durations become ms. @throws for an executor or option that the runner does not know, or k6 refuses */
export function readPlan(name: string, written: Record<string, unknown>): Plan {
  const { executor, ...given } = written;
  if (typeof executor !== 'string' || !Object.hasOwn(known, executor))
    throw new Error(`scenario ${name}: the executor '${executor}' is not known to this runner`);
  const usual: Record<string, unknown> = { ...common, ...known[executor as Plan['executor']] };
  const stranger = Object.keys(given).find((key) => !Object.hasOwn(usual, key));
  if (stranger !== undefined) throw new Error(`scenario ${name}: ${stranger} is not known to this runner`);
  const all: Record<string, unknown> = { executor, ...usual, ...given };
  for (const key of Object.keys(usual)) all[key] = read(`scenario ${name}: ${key}`, key, all[key]);
  if (all.maxVUs === 0) all.maxVUs = all.preAllocatedVUs;
  if (Number(all.maxVUs) < Number(all.preAllocatedVUs))
    throw new Error(`scenario ${name}: maxVUs is below preAllocatedVUs`);
  return all as Plan;
}

function read(what: string, key: string, value: unknown): unknown {
  if (key === 'exec') return value;
  if (value === null) throw new Error(`${what} is missing`);
  if (durations.includes(key)) {
    const ms = readDuration(value as string);
    if (/duration$/i.test(key) && ms < SHORTEST_MS) throw new Error(`${what} must be at least 1s`);
    return ms;
  }
  if (Number.isInteger(value)) return value;
  throw new Error(`${what} must be a whole number, not ${String(value)}`);
}

/** What an executor does its iterations with. */
export type Crew = {
  /** A virtual user that is free, for its number from 0 on; made when it is not there yet. */
  iterate(vu: number): Promise<void>;
  drop(): void;
  /** Nothing more is to begin. */
  stopped: AbortSignal;
};

/** Runs all iterations of a scenario; ends when the last one does. The caller interrupts what takes longer than it may. */
export function execute(plan: Plan, crew: Crew): Promise<void> {
  switch (plan.executor) {
    case 'shared-iterations':
      return sharedIterations(plan, crew);
    case 'per-vu-iterations':
      return perVuIterations(plan, crew);
    case 'constant-arrival-rate':
      return constantArrivalRate(plan, crew);
  }
}

/** How long a scenario takes at most, its graceful stop included; ms. */
export const longest = (plan: Plan): number =>
  ('duration' in plan ? plan.duration : plan.maxDuration) + plan.gracefulStop;

async function sharedIterations({ vus, iterations }: SharedIterations, { iterate, stopped }: Crew): Promise<void> {
  if (vus > iterations)
    throw new Error(`the number of iterations (${iterations}) must be more than that of VUs (${vus})`);
  let begun = 0;
  await all(vus, async (vu) => {
    while (begun++ < iterations && !stopped.aborted) await iterate(vu);
  });
}

async function perVuIterations({ vus, iterations }: PerVuIterations, { iterate, stopped }: Crew): Promise<void> {
  await all(vus, async (vu) => {
    for (let i = 0; i < iterations && !stopped.aborted; i++) await iterate(vu);
  });
}

/** Begins iterations at their times whether or not earlier ones have ended; one for which nobody is free is dropped. */
async function constantArrivalRate(plan: ConstantArrivalRate, { iterate, drop, stopped }: Crew): Promise<void> {
  const idle = Array.from({ length: plan.maxVUs }, (_, vu) => vu);
  const running: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let i = 0; ; i++) {
    const due = (i * plan.timeUnit) / plan.rate;
    if (due > plan.duration) break;
    const early = startedAt + due - performance.now();
    if (early > 0) await Bun.sleep(early);
    if (stopped.aborted) break;
    const vu = idle.shift();
    if (vu === undefined) drop();
    else running.push(iterate(vu).then(() => void idle.push(vu)));
  }
  await Promise.all(running);
}

const all = (count: number, work: (vu: number) => Promise<void>): Promise<void[]> =>
  Promise.all(Array.from({ length: count }, (_, vu) => work(vu)));
