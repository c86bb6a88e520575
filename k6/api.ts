import type { Options } from 'k6/options';
import { report } from './report.ts';
import { seconds, setting, trendStats } from './settings.ts';
import { mix, mixThresholds } from './tasks.ts';

// The REST API at a fixed rate: create, list, read, update and complete a task, so five requests an iteration.

const RATE = setting('RATE', 20);
const DURATION = setting('DURATION', 60);
/** At once, should an iteration take 2 s. */
const VUS = Math.ceil(RATE * 2) + 2;

export { mix };
export const options: Options = {
  scenarios: {
    mix: {
      executor: 'constant-arrival-rate',
      exec: 'mix',
      rate: Math.ceil(RATE * 10),
      timeUnit: '10s',
      duration: seconds(DURATION),
      preAllocatedVUs: VUS,
      maxVUs: VUS,
    },
  },
  thresholds: {
    ...mixThresholds(RATE * DURATION),
    http_req_failed: ['rate==0'],
    dropped_iterations: ['count==0'],
  },
  summaryTrendStats: trendStats,
};

export const handleSummary = (data: unknown): Record<string, string> => report('api', data);
