import type { Options } from 'k6/options';
import { deliverTo, deliveryThresholds, noteDelivered, noteEvent } from './delivery.ts';
import { report } from './report.ts';
import { LOST_AFTER, seconds, setting, trendStats } from './settings.ts';
import { call, headOf, jsonOf, ownUser, stream, type Task, until } from './taskflow.ts';

// How long an event takes: from the POST to the line on the stream, at a fixed rate and whether or not earlier ones have
// come; and second by second while streams are held.

const RATE = setting('RATE', 20);
const DURATION = Math.ceil(setting('DURATION', 60));
/** Streams held all the time, each with one change a second. */
const HELD = setting('HELD', 10);
/** At once, should an event take as long as the promise allows. */
const VUS = Math.ceil(RATE * 2) + 2;

export const options: Options = {
  scenarios: {
    deliver: {
      executor: 'constant-arrival-rate',
      exec: 'deliver',
      rate: Math.ceil(RATE * 10),
      timeUnit: '10s',
      duration: seconds(DURATION),
      preAllocatedVUs: VUS,
      maxVUs: VUS,
    },
    held: {
      executor: 'per-vu-iterations',
      exec: 'held',
      vus: HELD,
      iterations: 1,
      maxDuration: seconds(DURATION + LOST_AFTER + 10),
    },
  },
  thresholds: {
    ...deliveryThresholds(RATE * DURATION),
    'http_reqs{name:create each second}': [`count>=${HELD * DURATION}`],
    http_req_failed: ['rate==0'],
    dropped_iterations: ['count==0'],
  },
  summaryTrendStats: trendStats,
};

/** Holds one stream and creates a task each second; the stream must bring each once. Different tasks may overtake each other. */
export async function held(): Promise<void> {
  const user = ownUser();
  const ids: string[] = [];
  let seen: string[] = [];
  try {
    const after = await headOf(user);
    const opened = stream(user, { after, limit: DURATION, waitSeconds: DURATION + LOST_AFTER });
    const startAt = Date.now();
    for (let second = 1; second <= DURATION; second++) {
      await until(startAt + second * 1000);
      const created = await call(user, 'POST', '/tasks', { name: 'create each second', body: { title: `${second}` } });
      ids.push(jsonOf<Task>(created, 201).id);
    }
    const items = await opened;
    items.forEach(noteEvent);
    seen = items.map(({ event }) => event.task_id);
  } finally {
    for (let i = 0; i < DURATION; i++) noteDelivered(seen.filter((id) => id === ids[i]).length === 1);
  }
}

export const deliver = (): Promise<void> => deliverTo(ownUser());

export const handleSummary = (data: unknown): Record<string, string> => report('latency', data);
