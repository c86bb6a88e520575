import { afterAll, afterEach, expect, test } from 'bun:test';
import { createDatabase } from '../../test/support/database.ts';
import { startService } from '../../test/support/service.ts';
import { eventually } from '../../test/support/wait.ts';
import { startEdge } from './fixtures/edge.ts';
import { createStory } from './fixtures/story.ts';

const [database, edge] = await Promise.all([createDatabase(), startEdge()]);
const running = new Set<Bun.Subprocess>();
afterEach(() => running.forEach((child) => child.kill('SIGKILL')));
afterAll(async () => {
  await edge.stop();
  await database.drop();
});

async function start(env: Record<string, string> = {}) {
  const service = await startService('reminder-service', {
    DATABASE_URL: database.url('reminder-service'),
    DAPR_HTTP_PORT: String(edge.port),
    JWT_SECRET: 'a secret of thirty-two characters',
    DELIVERY_DRAIN_MS: '300',
    ...env,
  });
  running.add(service.child);
  const deliver = async (event: { event_id: string; event_type: string }) => {
    const response = await fetch(`${service.origin}/events/${event.event_type.split('.')[1]}`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({ specversion: '1.0', id: event.event_id, data: event }),
    });
    return response.json();
  };
  return { ...service, deliver };
}

const remindIn = (ms: number) =>
  createStory({
    due_date: new Date(Date.now() + ms).toISOString(),
    reminder_offset: 'PT0S',
    reminder_status: 'pending',
  });

test('a reminder survives kill -9 and fires after the next start', async () => {
  const story = remindIn(1500);
  const first = await start();
  expect(await first.deliver(story.created)).toEqual({ status: 'SUCCESS' });
  first.child.kill('SIGKILL');
  await first.child.exited;
  await start();
  const [event] = await eventually(() => edge.of(story.taskId).length > 0 && edge.of(story.taskId));
  expect(Date.parse(event?.timestamp ?? '')).toBeGreaterThanOrEqual(Date.parse(event?.trigger_at ?? ''));
}, 40_000);

test('SIGTERM ends it with 0; deliveries are answered until then', async () => {
  const { child, logged, deliver } = await start({ DELIVERY_DRAIN_MS: '3000' });
  child.kill('SIGTERM');
  await eventually(() => logged('stopping'));
  expect(await deliver(remindIn(60_000).created)).toEqual({ status: 'SUCCESS' });
  expect(await child.exited).toBe(0);
});

test('starts without database and sidecar', async () => {
  const { origin } = await start({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', DAPR_HTTP_PORT: '1' });
  expect((await fetch(`${origin}/health/live`)).status).toBe(200);
  expect((await fetch(`${origin}/health/ready`)).status).toBe(503);
});

test('SIGTERM ends it with 0 also when the database answers none of its loops', async () => {
  const { child, logged } = await start();
  const release = await hold('reminder_schedule');
  await eventually(async () => (await waitingForLock()) >= 2);
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
  expect(logged('loop stopped with a run under way')).toBeDefined();
  await release();
}, 40_000);

/** Lets every statement on this table wait, until the returned function is called. */
async function hold(table: string): Promise<() => Promise<void>> {
  const [locked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const transaction = database.sql.begin(async (sql) => {
    await sql`lock table ${sql(table)} in access exclusive mode`;
    locked.resolve();
    await released.promise;
  });
  await locked.promise;
  return async () => {
    released.resolve();
    await transaction;
  };
}

async function waitingForLock(): Promise<number> {
  const rows = await database.sql`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return rows.length;
}
