import { afterAll, afterEach, expect, test } from 'bun:test';
import { createDatabase } from '../../test/support/database.ts';
import { connect } from '../../test/support/event-source.ts';
import { logIn } from '../../test/support/login.ts';
import { SECRET } from '../../test/support/parts.ts';
import { startService } from '../../test/support/service.ts';
import { eventually } from '../../test/support/wait.ts';
import { eventOf } from './fixtures/events.ts';

const database = await createDatabase();
const running = new Set<Bun.Subprocess>();
afterEach(() => running.forEach((child) => child.kill('SIGKILL')));
afterAll(() => database.drop());

async function start(env: Record<string, string> = {}) {
  const service = await startService('notification-service', {
    DATABASE_URL: database.url('notification-service'),
    DAPR_HTTP_PORT: '1',
    JWT_SECRET: SECRET,
    DRAIN_MS: '500',
    DELIVERY_DRAIN_MS: '500',
    ...env,
  });
  running.add(service.child);
  return service;
}

test('SIGTERM ends streams with reconnect while deliveries are answered, then the process with 0', async () => {
  const { child, logged, origin } = await start({ DELIVERY_DRAIN_MS: '3000' });
  const me = await logIn(database.sql);
  const stream = await connect(`${origin}/api/v1/notifications/stream`, me.headers);
  expect((await stream.next()).event).toBe('ready');
  child.kill('SIGTERM');
  await eventually(() => logged('stopping'));
  const event = eventOf(me);
  const answer = await fetch(`${origin}/events/created`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ specversion: '1.0', id: event.event_id, data: event }),
  });
  expect(await answer.json()).toEqual({ status: 'SUCCESS' });
  expect((await stream.rest()).at(-1)?.event).toBe('reconnect');
  expect(await child.exited).toBe(0);
});

test('starts without database and sidecar, alive and not ready', async () => {
  const { child, origin } = await start({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
  expect((await fetch(`${origin}/health/live`)).status).toBe(200);
  expect((await fetch(`${origin}/health/ready`)).status).toBe(503);
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
});
