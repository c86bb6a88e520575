import exec from 'k6/execution';
import { Gauge } from 'k6/metrics';
import type { Options } from 'k6/options';
import { deliverTo, deliveryThresholds } from './delivery.ts';
import { gauge, RESIDENT_BYTES } from './metrics.ts';
import { report } from './report.ts';
import { seconds, setting, trendStats } from './settings.ts';
import { mix, mixThresholds } from './tasks.ts';
import { ownUser, until } from './taskflow.ts';

// A day of an installation: the same load hour after hour, and neither latency nor memory may creep. It ends at once when
// the service is gone.

/** Tasks a second whose events are waited for. */
const RATE = setting('RATE', 5);
/** Whole lives of tasks a second, from the creation to the completion. */
const LIVES = setting('LIVES', RATE);
const DURATION = setting('DURATION', 3600);
/** Before that compilers and caches are still warming up, and memory is not compared. */
const WARM = Math.min(300, DURATION / 3);

const memoryGrowth = new Gauge('memory_growth');

const load = (rate: number) => {
  const vus = Math.ceil(rate * 2) + 2;
  return {
    executor: 'constant-arrival-rate',
    rate: Math.ceil(rate * 10),
    timeUnit: '10s',
    duration: seconds(DURATION),
    preAllocatedVUs: vus,
    maxVUs: vus,
  } as const;
};

export { mix };
export const options: Options = {
  scenarios: {
    deliver: { ...load(RATE), exec: 'deliver' },
    mix: { ...load(LIVES), exec: 'mix' },
    memory: {
      executor: 'per-vu-iterations',
      exec: 'memory',
      vus: 1,
      iterations: 1,
      maxDuration: seconds(DURATION + 30),
    },
  },
  thresholds: {
    ...mixThresholds(LIVES * DURATION),
    ...deliveryThresholds((RATE + LIVES) * DURATION),
    http_req_failed: ['rate==0', { threshold: 'rate<0.5', abortOnFail: true, delayAbortEval: '2s' }],
    dropped_iterations: ['count==0'],
    // Of the service at METRICS_URL, from the end of the warm-up to the end, in parts of 1. Measured: 1.0.
    memory_growth: ['value>0', 'value<1.5'],
  },
  summaryTrendStats: trendStats,
};

/** How much more memory the service has at the end than after the warm-up. */
export async function memory(): Promise<void> {
  const { startTime } = exec.scenario;
  await until(startTime + WARM * 1000);
  const before = await gauge(RESIDENT_BYTES);
  await until(startTime + DURATION * 1000);
  const after = await gauge(RESIDENT_BYTES);
  memoryGrowth.add(before > 0 ? after / before : 0);
}

export const deliver = (): Promise<void> => deliverTo(ownUser());

export const handleSummary = (data: unknown): Record<string, string> => report('soak', data);
