import { afterAll, afterEach, expect, test } from 'bun:test';
import { createDatabase } from '../../test/support/database.ts';
import { connect } from '../../test/support/event-source.ts';
import { eventually } from '../../test/support/wait.ts';
import { createPerson, eventOf, SECRET } from './fixtures/person.ts';

const database = await createDatabase();
const running = new Set<Bun.Subprocess>();
afterEach(() => running.forEach((child) => child.kill('SIGKILL')));
afterAll(() => database.drop());

/** The service as a process of its own; resolves when it listens. */
async function startService(env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, '--no-orphans', `${import.meta.dir}/main.ts`], {
    env: {
      DATABASE_URL: database.url('notification-service'),
      DAPR_HTTP_PORT: '1',
      JWT_SECRET: SECRET,
      HOST: '127.0.0.1',
      PORT: '0',
      DRAIN_MS: '500',
      DELIVERY_DRAIN_MS: '500',
      ...env,
    },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  running.add(child);
  let output = '';
  void (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) output += chunk;
  })();
  const logged = (message: string) =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { message: string; port?: number })
      .find((line) => line.message === message);
  const port = await eventually(() => logged('listening')?.port);
  return { child, logged, origin: `http://127.0.0.1:${port}` };
}

test('SIGTERM ends streams with reconnect while deliveries are answered, then the process with 0', async () => {
  const { child, logged, origin } = await startService();
  const me = await createPerson(database.sql);
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
  const { child, origin } = await startService({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
  expect((await fetch(`${origin}/health/live`)).status).toBe(200);
  expect((await fetch(`${origin}/health/ready`)).status).toBe(503);
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
});
