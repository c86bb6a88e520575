import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import type { Options } from 'k6/options';
import { report } from './report.ts';
import { setting, trendStats } from './settings.ts';
import { call, type Event, jsonOf, type User, userAt } from './taskflow.ts';
import { BATCH, createBatch, waitFor, type Wave, waveScenarios } from './waves.ts';

// 10,000 series of which each needs its next instance at the same instant: made through the API over CREATE seconds, 100 for
// each user. The processor looks every TICK seconds (its TICK_SECONDS); WAIT after the instant each instance must be there,
// once in the list of tasks and once in the inbox.

const SERIES = setting('SERIES', 10_000);
const CREATE = setting('CREATE', 120);
/** From the last creation to the instant. */
const MARGIN = setting('MARGIN', 60);
const TICK = setting('TICK', 300);
const WAIT = setting('WAIT', TICK + 30);

const people = Math.ceil(SERIES / BATCH);

/** From the instant at which an instance was due to be made to its event. */
const lateness = new Trend('instance_lateness', true);
const seen = new Counter('instances_seen');
const seenOnce = new Rate('instances_seen_once');

export const options: Options = {
  scenarios: waveScenarios({ people, create: CREATE, wait: MARGIN + WAIT }),
  thresholds: {
    created: ['rate==1'],
    // Promise: a run every 5 minutes, and 10,000 due series in one run. Measured with TICK 5: 2,000 within 7.0 s, 10,000
    // within 12 s (README.md).
    instance_lateness: ['min>=0', `max<${(TICK + 30) * 1000}`],
    instances_seen: [`count==${people * BATCH}`],
    instances_seen_once: ['rate==1'],
    http_req_failed: ['rate==0'],
    dropped_iterations: ['count==0'],
  },
  summaryTrendStats: trendStats,
};

export function setup(): Wave {
  return { run: `series ${Date.now()}`, dueAt: Date.now() + (CREATE + MARGIN) * 1000 };
}

/** Due at the instant, so the first instance is there at once and the next one is needed then, 24 hours before it is due. */
export async function create({ run, dueAt }: Wave): Promise<void> {
  const index = exec.scenario.iterationInTest;
  if (index >= people) return; // the rate ends with one more
  const dueDate = new Date(dueAt).toISOString();
  const tasks = Array.from({ length: BATCH }, (_, i) => ({
    title: `${run} ${i}`,
    due_date: dueDate,
    recurrence_pattern: 'daily:',
  }));
  await createBatch(userAt(index), tasks);
}

export async function see({ run, dueAt }: Wave): Promise<void> {
  const user = userAt(exec.scenario.iterationInTest);
  const nextDate = new Date(dueAt + 86_400_000).toISOString().slice(0, 10);
  const isOfWave = ({ event_type, task }: Event) =>
    event_type === 'task.created' && task?.occurrence_date === nextDate && task.title.startsWith(`${run} `);
  const items = await waitFor(user, BATCH, isOfWave);
  for (const { event } of items) {
    seen.add(1);
    lateness.add(Date.parse(event.timestamp) - dueAt);
  }
  const inInbox = items.map(({ event }) => event.task?.parent_recurring_task_id ?? '');
  const inList = await listed(user, run, nextDate);
  const isOnce = [inInbox, inList].every((parents) => parents.length === BATCH && new Set(parents).size === BATCH);
  for (let i = 0; i < BATCH; i++) seenOnce.add(isOnce);
}

type Instance = { title: string; occurrence_date: string; parent_recurring_task_id: string };

/** The series of the instances that the list of tasks has; newest first, so those of this run are among the first 1,000. */
async function listed(user: User, run: string, date: string): Promise<string[]> {
  const answer = await call(user, 'GET', '/tasks?kind=instance&limit=1000', { name: 'list' });
  const instances = jsonOf<Instance[]>(answer, 200);
  const ofWave = instances.filter((each) => each.occurrence_date === date && each.title.startsWith(`${run} `));
  return ofWave.map((instance) => instance.parent_recurring_task_id);
}

export const handleSummary = (data: unknown): Record<string, string> => report('recurring', data);
