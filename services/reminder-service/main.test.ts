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
  const { child, logged, deliver } = await start();
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
