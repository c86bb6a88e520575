import { check } from 'k6';
import exec from 'k6/execution';
import { Rate } from 'k6/metrics';
import type { Options } from 'k6/options';
import { deliverTo, deliveryThresholds } from './delivery.ts';
import { report } from './report.ts';
import { LOST_AFTER, seconds, setting, trendStats } from './settings.ts';
import { call, inbox, jsonOf, ownUser, pause, type Task, type User, userAt } from './taskflow.ts';

// Phase IV's calls go on without an error while somebody rolls back to Phase IV and forward again, for which there are
// DURATION seconds. After that events must be as quick as ever, and each task made meanwhile must be in its owner's inbox.

const DURATION = setting('DURATION', 300);
/** Of iterations a second, each of five calls. */
const RATE = setting('RATE', 5);
const VUS = Math.ceil(RATE * 4) + 2;
/** How long events are looked at afterwards. */
const AFTER = setting('AFTER', 20);

const published = new Rate('tasks_published');

export const options: Options = {
  scenarios: {
    phase4: {
      executor: 'constant-arrival-rate',
      exec: 'phase4',
      rate: Math.ceil(RATE * 10),
      timeUnit: '10s',
      duration: seconds(DURATION),
      preAllocatedVUs: VUS,
      maxVUs: VUS,
      gracefulStop: '15s',
    },
    deliver: {
      executor: 'constant-arrival-rate',
      exec: 'deliver',
      rate: 2,
      startTime: seconds(DURATION),
      duration: seconds(AFTER),
      preAllocatedVUs: 6,
      maxVUs: 6,
    },
    agree: {
      executor: 'shared-iterations',
      exec: 'agree',
      // Not before: to read so many tasks is no usual load.
      startTime: seconds(DURATION + AFTER),
      vus: 2,
      iterations: VUS,
      maxDuration: seconds(VUS * (LOST_AFTER + 2) + 30),
    },
  },
  thresholds: {
    // Promises: Phase IV goes on, its way back and forward takes less than five minutes and loses nothing.
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    'http_reqs{name:phase4 delete}': [`count>=${Math.floor((RATE * DURATION) / 2)}`],
    dropped_iterations: ['count==0'],
    tasks_published: ['rate==1'],
    ...deliveryThresholds(2 * AFTER),
  },
  summaryTrendStats: trendStats,
};

/** A task as Phase IV knows it; every other one is deleted again. */
export async function phase4(): Promise<void> {
  const user = userAt(exec.scenario.iterationInTest % VUS);
  const me = await call(user, 'GET', '/auth/me', { name: 'phase4 me' });
  check(me, { 'me answers 200': ({ status }) => status === 200 });
  const created = await call(user, 'POST', '/tasks', { name: 'phase4 create', body: { title: 'Phase IV' } });
  if (!check(created, { 'create answers 201': ({ status }) => status === 201 })) return;
  const { id } = jsonOf<Task>(created, 201);
  const body = { completed: true };
  const updated = await call(user, 'PUT', `/tasks/${id}`, { name: 'phase4 update', body });
  check(updated, { 'update answers the task': (answer) => jsonOf<Task>(answer, 200).completed });
  const listed = await call(user, 'GET', '/tasks', { name: 'phase4 list' });
  check(listed, { 'list has the task': (answer) => jsonOf<Task[]>(answer, 200).some((task) => task.id === id) });
  if (exec.scenario.iterationInTest % 2 === 0) return;
  const deleted = await call(user, 'DELETE', `/tasks/${id}`, { name: 'phase4 delete' });
  check(deleted, { 'delete answers 204': ({ status }) => status === 204 });
}

/** Every task that a user still has is known to the inbox, whenever it was made. */
export async function agree(): Promise<void> {
  const user = userAt(exec.scenario.iterationInTest);
  const answer = await call(user, 'GET', '/tasks', { name: 'phase4 left' });
  if (answer.status !== 200) published.add(false);
  const left = jsonOf<Task[]>(answer, 200);
  const known = await knownTo(user, left);
  for (const { id } of left) published.add(known.has(id));
}

async function knownTo(user: User, tasks: Task[]): Promise<Set<string>> {
  const deadline = Date.now() + LOST_AFTER * 1000;
  for (;;) {
    const known = new Set((await inbox(user, 0)).map(({ event }) => event.task_id));
    if (tasks.every(({ id }) => known.has(id)) || Date.now() > deadline) return known;
    await pause(500);
  }
}

/** With accounts that nobody else here has. */
export const deliver = (): Promise<void> => deliverTo(ownUser(VUS));

export const handleSummary = (data: unknown): Record<string, string> => report('rollback', data);
