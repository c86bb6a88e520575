import { check } from 'k6';
import type { Options } from 'k6/options';
import { noteDelivered, noteEvent } from './delivery.ts';
import { report } from './report.ts';
import { LOST_AFTER, trendStats } from './settings.ts';
import { call, type Event, headOf, type Item, jsonOf, pause, stream, type Task, userAt } from './taskflow.ts';

// The main job once, as a gate after a deployment: a task's whole life, each of its events on the stream, its trail.

const MINUTE_MS = 60_000;
const REMINDER_AHEAD_MS = 2000;
const ALL = ['task.created', 'task.updated', 'task.reminder.triggered', 'task.completed', 'task.deleted'];

export const options: Options = {
  scenarios: { smoke: { executor: 'shared-iterations', exec: 'smoke', vus: 1, iterations: 1, maxDuration: '2m' } },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    events_delivered: ['rate==1'],
    // Promise: 500 ms. Once, on an installation that may just have started, so of most and not of all.
    event_latency: ['med<500', 'max<2000'],
    // Of a run that broke off half-way there would be no more checks than had been.
    'http_reqs{name:trail}': ['count>=1'],
  },
  summaryTrendStats: trendStats,
};

export async function smoke(): Promise<void> {
  const user = userAt(0);
  const after = await headOf(user);
  const first = stream(user, { after, limit: 3, waitSeconds: LOST_AFTER });
  const dueDate = new Date(Date.now() + MINUTE_MS + REMINDER_AHEAD_MS).toISOString();
  const body = { title: 'Water the plants', priority: 'high', due_date: dueDate, reminder_offset: 'PT1M' };
  const created = await call(user, 'POST', '/tasks', { name: 'create', body });
  const { id } = jsonOf<Task>(created, 201);
  await call(user, 'PATCH', `/tasks/${id}`, { name: 'update', body: { title: 'Water all plants' } });
  const early = await first;

  const second = stream(user, { after: early.at(-1)?.id ?? after, limit: 2, waitSeconds: LOST_AFTER });
  const completed = await call(user, 'PATCH', `/tasks/${id}`, { name: 'complete', body: { completed: true } });
  const read = await call(user, 'GET', `/tasks/${id}`, { name: 'read' });
  const deleted = await call(user, 'DELETE', `/tasks/${id}`, { name: 'delete' });
  const items = [...early, ...(await second)].filter(({ event }) => event.task_id === id);
  const types = items.map(({ event }) => event.event_type);
  for (const type of ALL) noteDelivered(types.filter((each) => each === type).length === 1);
  items.forEach(noteEvent);

  check(completed, { 'completing answers the task as completed': (answer) => jsonOf<Task>(answer, 200).completed });
  check(read, { 'it is read as it was changed': (answer) => jsonOf<Task>(answer, 200).title === 'Water all plants' });
  check(deleted, { 'deleting answers 204': (answer) => answer.status === 204 });
  check(items, { 'its events are numbered in their order': isInOrder });
  check(await trailOf(id), { 'its trail holds all five events': (trail) => trail.length === ALL.length });
}

const isInOrder = (items: Item[]): boolean => items.every(({ id }, i) => i === 0 || id > (items[i - 1]?.id ?? id));

/** The trail is written beside the inbox, so it may be a moment later. */
async function trailOf(id: string): Promise<Event[]> {
  const deadline = Date.now() + LOST_AFTER * 1000;
  for (;;) {
    const trail = jsonOf<Event[]>(await call(userAt(0), 'GET', `/audit/tasks/${id}`, { name: 'trail' }), 200);
    if (trail.length >= ALL.length || Date.now() > deadline) return trail;
    await pause(100);
  }
}

export const handleSummary = (data: unknown): Record<string, string> => report('smoke', data);
