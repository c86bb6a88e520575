import { type Crew, execute, longest, type Plan, readPlan } from './executors.ts';
import { createMetrics, type Metric, type Metrics } from './metrics.ts';
import { readScript } from './script.ts';
import { readThreshold, type Threshold, type Written } from './thresholds.ts';
import { createVirtualUser, type Iteration, type Run, type Scenario, type VirtualUser } from './virtual-user.ts';

/** As k6 ends: thresholds failed, options that are none, an error in the script. */
export const exitCodes = { thresholds: 99, options: 104, script: 107 };

export class K6Error extends Error {
  override name = 'K6Error';
  constructor(
    readonly exitCode: number,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** A metric with what is asked of it. */
type Judged = { metric: Metric; thresholds: Threshold[] };
export type Outcome = {
  exitCode: number;
  /** What `handleSummary` answered: text by `stdout` or the name of a file. */
  outputs: Record<string, string>;
  /** All thresholds, each as `metric threshold`, and those of them that failed. */
  thresholds: string[];
  failed: string[];
};

const knownOptions = ['scenarios', 'thresholds', 'summaryTrendStats'];
/** Those of k6 that the scripts use. */
const builtIn = [
  ['checks', 'rate'],
  ['dropped_iterations', 'counter'],
  ['http_req_duration', 'trend'],
  ['http_req_failed', 'rate'],
  ['http_reqs', 'counter'],
  ['iteration_duration', 'trend'],
  ['iterations', 'counter'],
] as const;
/** So often k6 looks whether a threshold ends the test. */
const LOOK_MS = 2000;

/**
 * Runs a script as `k6 run` does: init context, setup, scenarios, thresholds, handleSummary. It knows exactly what the scripts
 * of `k6/` use of k6. @throws {K6Error} when the script does not start
 */
export async function runScript(
  path: string,
  { env, say }: { env: Record<string, string>; say: (line: string) => void },
): Promise<Outcome> {
  const metrics = createMetrics();
  for (const [name, type] of builtIn) metrics.declare(name, type, name.endsWith('duration'));
  const script = await orExit(exitCodes.script, () => readScript(path));
  const run: Run = { script, metrics, env, sharedArrays: new Map(), say };
  const first = await orExit(exitCodes.script, () => createVirtualUser(run, 0));
  const options = await orExit(exitCodes.options, () => readOptions(first.exports, metrics));
  const { setup } = first.exports;
  const data = setup && (await orExit(exitCodes.script, () => first.perform('setup', outside('setup'), undefined)));

  const startedAt = performance.now();
  const secondsSoFar = () => (performance.now() - startedAt) / 1000;
  const aborted = new AbortController();
  const looking = setInterval(() => {
    if (options.judged.some((each) => endsTest(each, secondsSoFar()))) aborted.abort();
  }, LOOK_MS);
  let ids = 0;
  const scenarios = options.plans.map(([name, plan]) =>
    performScenario({ run, name, plan, data, aborted: aborted.signal, createOne: () => createVirtualUser(run, ++ids) }),
  );
  await Promise.all(scenarios).finally(() => clearInterval(looking));

  const seconds = secondsSoFar();
  const thresholds = options.judged.flatMap(({ metric, thresholds: each }) =>
    each.map(({ source, holds }) => ({ name: `${metric.name} ${source}`, holds: holds(metric.sink, seconds) })),
  );
  const failed = thresholds.filter(({ holds }) => !holds).map(({ name }) => name);
  const summary = summaryOf(metrics, options, seconds);
  const { handleSummary } = first.exports;
  const outputs = handleSummary ? await first.perform('handleSummary', outside('handleSummary'), summary) : {};
  const exitCode = failed.length > 0 ? exitCodes.thresholds : 0;
  return {
    exitCode,
    outputs: outputs as Record<string, string>,
    thresholds: thresholds.map(({ name }) => name),
    failed,
  };
}

type Options = { plans: [string, Plan][]; judged: Judged[]; stats: string[] };

function readOptions({ options = {} }: { options?: unknown }, metrics: Metrics): Options {
  const written = options as {
    scenarios?: Record<string, Record<string, unknown>>;
    thresholds?: Record<string, Written[]>;
    summaryTrendStats?: string[];
  };
  const stranger = Object.keys(written).find((key) => !knownOptions.includes(key));
  if (stranger !== undefined) throw new Error(`options.${stranger} is not known to this runner`);
  const {
    scenarios = {},
    thresholds = {},
    summaryTrendStats = ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)'],
  } = written;
  if (Object.keys(scenarios).length === 0) throw new Error('this runner wants options.scenarios');
  return {
    plans: Object.entries(scenarios).map(([name, plan]) => [name, readPlan(name, plan)]),
    judged: Object.entries(thresholds).map(([name, each]) => {
      const metric = metrics.named(name);
      return { metric, thresholds: each.map((threshold) => readThreshold(threshold, metric.type)) };
    }),
    stats: summaryTrendStats,
  };
}

/** While there is no sample k6 does not look. */
const endsTest = ({ metric, thresholds }: Judged, seconds: number): boolean =>
  !metric.sink.isEmpty &&
  thresholds.some((each) => each.abortOnFail && seconds > each.delayAbort && !each.holds(metric.sink, seconds));

type Scene = {
  run: Run;
  name: string;
  plan: Plan;
  data: unknown;
  aborted: AbortSignal;
  createOne: () => VirtualUser;
};

async function performScenario({ run, name, plan, data, aborted, createOne }: Scene): Promise<void> {
  if (plan.startTime > 0) await sleep(plan.startTime, aborted);
  if (aborted.aborted) return;
  const scenario: Scenario = { name, executor: plan.executor, startTime: Date.now() };
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  aborted.addEventListener('abort', interrupt);
  const timer = setTimeout(interrupt, longest(plan));
  const crew = createCrew({ run, plan, data, scenario, createOne, interrupted: interrupted.signal });
  await execute(plan, crew).finally(() => {
    clearTimeout(timer);
    aborted.removeEventListener('abort', interrupt);
  });
}

function createCrew({
  run,
  plan,
  data,
  scenario,
  createOne,
  interrupted,
}: Omit<Scene, 'name' | 'aborted'> & { scenario: Scenario; interrupted: AbortSignal }): Crew {
  const tags = { scenario: scenario.name };
  const members = new Map<number, { vu: VirtualUser; data: unknown; count: number }>();
  let begun = 0;
  return {
    stopped: interrupted,
    drop: () => run.metrics.add('dropped_iterations', 1, tags),
    async iterate(number) {
      // Each has what setup answered as its own copy.
      const member = members.get(number) ?? { vu: createOne(), data: copyOf(data), count: 0 };
      members.set(number, member);
      const iteration: Iteration = { scenario, inTest: begun++, inScenario: member.count++, interrupted };
      const from = performance.now();
      const work = member.vu.perform(plan.exec, iteration, member.data).catch((error: unknown) => {
        if (!interrupted.aborted) run.say(Bun.inspect(error));
      });
      await orAborted(work, interrupted);
      if (interrupted.aborted) return; // k6 does not count it
      run.metrics.add('iterations', 1, tags);
      run.metrics.add('iteration_duration', performance.now() - from, tags);
    },
  };
}

function summaryOf(metrics: Metrics, { judged, stats }: Options, seconds: number): object {
  const percentiles = stats.flatMap((stat) => /^p\((.*)\)$/.exec(stat)?.slice(1).map(Number) ?? []);
  const all = new Map(metrics.observed().map((metric) => [metric.name, { metric, thresholds: [] as Threshold[] }]));
  for (const each of judged) all.set(each.metric.name, each);
  const described = [...all].map(([name, { metric, thresholds }]) => {
    const { type, isTime, sink } = metric;
    const values = sink.values(seconds, percentiles);
    const shown = type === 'trend' ? Object.fromEntries(stats.map((stat) => [stat, values[stat]])) : values;
    const verdicts = thresholds.map(({ source, holds }) => [source, { ok: holds(sink, seconds) }]);
    const judgement = verdicts.length > 0 && { thresholds: Object.fromEntries(verdicts) as object };
    return [name, { type, contains: isTime ? 'time' : 'default', values: shown, ...judgement }];
  });
  return { metrics: Object.fromEntries(described) as object, state: { testRunDurationMs: seconds * 1000 } };
}

/** Of what runs outside all scenarios. */
const outside = (name: string): Iteration => ({
  scenario: { name, executor: '', startTime: Date.now() },
  inTest: 0,
  inScenario: 0,
  interrupted: new AbortController().signal,
});

const copyOf = (data: unknown): unknown => (data === undefined ? undefined : JSON.parse(JSON.stringify(data)));

async function orExit<T>(exitCode: number, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new K6Error(exitCode, error);
  }
}

/** Resolves with the work or with the signal, and leaves nothing at the signal: a run has one, and hundreds of thousands of works. */
async function orAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  await Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop));
}

async function sleep(ms: number, aborted: AbortSignal): Promise<void> {
  const awake = Promise.withResolvers<void>();
  const timer = setTimeout(awake.resolve, ms);
  await orAborted(awake.promise, aborted).finally(() => clearTimeout(timer));
}
