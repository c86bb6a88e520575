import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import type { Options } from 'k6/options';
import { report } from './report.ts';
import { setting, trendStats } from './settings.ts';
import { type Event, userAt } from './taskflow.ts';
import { BATCH, createBatch, waitFor, type Wave, waveScenarios } from './waves.ts';

// A wave of reminders due within the same minute: made through the API over CREATE seconds, 100 for each user; then, WAIT
// after the last was due, each must be in its owner's inbox, once, and none early. How late is told by the event's own times,
// so that reading them disturbs nothing.

const REMINDERS = setting('REMINDERS', 10_000);
const CREATE = setting('CREATE', 120);
/** From the last creation to the first reminder: the events of the creations have been consumed by then. */
const MARGIN = setting('MARGIN', 60);
const SPREAD = setting('SPREAD', 60);
const WAIT = setting('WAIT', 60);

const people = Math.ceil(REMINDERS / BATCH);

/** From the time of a reminder to when it fired. */
const fired = new Trend('reminder_lateness', true);
/** From the time of a reminder to its row in the inbox, where streams read it. */
const notified = new Trend('notification_lateness', true);
const seen = new Counter('reminders_seen');
const seenOnce = new Rate('reminders_seen_once');

export const options: Options = {
  scenarios: waveScenarios({ people, create: CREATE, wait: MARGIN + SPREAD + WAIT }),
  thresholds: {
    created: ['rate==1'],
    // Promise: all within a minute, also 100,000 of them; never early. Measured: of 3,000 the last fired 40 ms late and was in
    // the inbox 597 ms late (README.md).
    reminder_lateness: ['min>=0', 'max<60000'],
    notification_lateness: ['min>=0', 'max<60000'],
    reminders_seen: [`count==${people * BATCH}`],
    reminders_seen_once: ['rate==1'],
    http_req_failed: ['rate==0'],
    dropped_iterations: ['count==0'],
  },
  summaryTrendStats: trendStats,
};

export function setup(): Wave {
  return { run: `wave ${Date.now()}`, dueAt: Date.now() + (CREATE + MARGIN) * 1000 };
}

export async function create({ run, dueAt }: Wave): Promise<void> {
  const index = exec.scenario.iterationInTest;
  if (index >= people) return; // the rate ends with one more
  const tasks = Array.from({ length: BATCH }, (_, i) => {
    const triggerAt = dueAt + (i / BATCH) * SPREAD * 1000;
    return { title: `${run} ${i}`, due_date: new Date(triggerAt + 60_000).toISOString(), reminder_offset: 'PT1M' };
  });
  await createBatch(userAt(index), tasks);
}

export async function see({ run }: Wave): Promise<void> {
  const isOfWave = ({ event_type, title }: Event) =>
    event_type === 'task.reminder.triggered' && title?.startsWith(`${run} `) === true;
  const items = await waitFor(userAt(exec.scenario.iterationInTest), BATCH, isOfWave);
  for (const { created_at, event } of items) {
    const triggerAt = Date.parse(event.trigger_at ?? '');
    seen.add(1);
    fired.add(Date.parse(event.timestamp) - triggerAt);
    notified.add(Date.parse(created_at) - triggerAt);
  }
  const titles = new Set(items.map(({ event }) => event.title));
  for (let i = 0; i < BATCH; i++) seenOnce.add(titles.size === BATCH && items.length === BATCH);
}

export const handleSummary = (data: unknown): Record<string, string> => report('reminders', data);
