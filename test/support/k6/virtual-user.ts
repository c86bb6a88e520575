import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { refusing } from './refusing.ts';
import { createRequest } from './request.ts';
import type { Metrics, MetricType, Tags } from './metrics.ts';
import type { Exports, Script } from './script.ts';

/** What an iteration is part of; `exec.scenario` shows it to the script. */
export type Scenario = { name: string; executor: string; startTime: number };
export type Iteration = { scenario: Scenario; inTest: number; inScenario: number; interrupted: AbortSignal };

/** What all virtual users of a run share. */
export type Run = {
  script: Script;
  metrics: Metrics;
  env: Record<string, string>;
  /** By name; what they hold was made once. */
  sharedArrays: Map<string, readonly unknown[]>;
  /** What went wrong in a script, and what it logs. */
  say(line: string): void;
};

export type VirtualUser = {
  exports: Exports;
  /** Runs an exported function as an iteration. Throws what it throws. */
  perform(name: string, iteration: Iteration, data: unknown): Promise<unknown>;
};

/** A virtual user as k6 has them: the init context of its own, then one iteration at a time. Ids count from 1; 0 is none. */
export function createVirtualUser(run: Run, id: number): VirtualUser {
  let now: Iteration | undefined;
  const current = (what: string): Iteration => {
    if (now) return now;
    throw new Error(`${what} is not available in the init context`);
  };
  const add = (iteration: Iteration, name: string, value: number, tags: Tags = {}) => {
    // What was interrupted is over, also for what its requests would still bring.
    if (!iteration.interrupted.aborted) run.metrics.add(name, value, { scenario: iteration.scenario.name, ...tags });
  };

  /** One of `Counter`, `Gauge`, `Rate`, `Trend`. */
  const metricClass = (type: MetricType) =>
    class {
      constructor(
        readonly name: string,
        isTime = false,
      ) {
        if (now) throw new Error('metrics must be declared in the init context');
        run.metrics.declare(name, type, isTime);
      }
      add(value: number | boolean, tags: Tags = {}): void {
        const number = Number(value);
        // k6 warns and leaves it out.
        if (Number.isNaN(number)) run.say(`metric '${this.name}' was given no number`);
        else add(current(`${this.name}.add`), this.name, number, tags);
      }
    };

  const request = createRequest({
    begin(name) {
      const iteration = current(`http.${name}`);
      return { signal: iteration.interrupted, add: (...sample) => add(iteration, ...sample) };
    },
    say: run.say,
  });
  const scenario = refusing('exec.scenario', {
    get name() {
      return current('exec.scenario').scenario.name;
    },
    get executor() {
      return current('exec.scenario').scenario.executor;
    },
    get startTime() {
      return current('exec.scenario').scenario.startTime;
    },
    get iterationInTest() {
      return current('exec.scenario').inTest;
    },
  });
  const vu = refusing('exec.vu', {
    get idInTest() {
      return current('exec.vu') && id;
    },
    get iterationInScenario() {
      return current('exec.vu').inScenario;
    },
  });

  function check(value: unknown, checks: Record<string, (value: unknown) => unknown>, tags: Tags = {}): boolean {
    const iteration = current('check');
    const results = Object.entries(checks).map(([name, holds]) => {
      let isPassed = false;
      try {
        const result = holds(value);
        if (result instanceof Promise) throw new Error(`check '${name}' must not be asynchronous`);
        isPassed = Boolean(result);
      } finally {
        add(iteration, 'checks', Number(isPassed), { check: name, ...tags });
      }
      return isPassed;
    });
    return results.every(Boolean);
  }

  const exports = run.script.init({
    modules: {
      k6: { check },
      'k6/data': { SharedArray: sharedArrays(run, () => now !== undefined) },
      'k6/execution': refusing('k6/execution', { scenario, vu }),
      'k6/http': refusing('http', { asyncRequest: request }),
      'k6/metrics': {
        Counter: metricClass('counter'),
        Gauge: metricClass('gauge'),
        Rate: metricClass('rate'),
        Trend: metricClass('trend'),
      },
      'k6/timers': { setTimeout },
    },
    globals: {
      __ENV: run.env,
      open: (path: string) => {
        if (now) throw new Error('open() is only available in the init context');
        return readText(run.script.folder, path);
      },
      console: { log: run.say, error: run.say },
    },
  });

  return {
    exports,
    async perform(name, iteration, data) {
      const perform = exports[name];
      if (typeof perform !== 'function') throw new Error(`function '${name}' not found in exports`);
      now = iteration;
      return await (perform as (data: unknown) => unknown)(data);
    },
  };
}

/** `SharedArray`: made once in a run, by whoever is first; nobody may change it. */
function sharedArrays({ sharedArrays: made }: Run, isRunning: () => boolean) {
  return class {
    constructor(name: string, make: () => unknown[]) {
      if (isRunning()) throw new Error('new SharedArray must be called in the init context');
      const known = made.get(name) ?? Object.freeze(make().map((item) => Object.freeze(item)));
      made.set(name, known);
      return known as never;
    }
  };
}

/** A relative path counts from the folder of the script. */
const readText = (folder: string, path: string): string => readFileSync(resolve(folder, path), 'utf8');
