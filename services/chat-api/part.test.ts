import { afterAll, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '../../test/support/database.ts';
import { startService } from '../../test/support/service.ts';
import { eventually } from '../../test/support/wait.ts';
import { SECRET } from '../../test/support/parts.ts';
import { newUser } from './fixture.ts';

const database = await createDatabase();
const volume = await mkdtemp(join(tmpdir(), 'taskflow-part-'));
const published: string[] = [];
/** Dapr's HTTP edge, as far as a publisher sees it. */
const sidecar = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request) {
    const url = new URL(request.url);
    if (url.pathname.startsWith('/v1.0/publish/')) published.push(url.searchParams.get('metadata.cloudevent.id') ?? '');
    return new Response(null, { status: 204 });
  },
});
const running = new Set<Bun.Subprocess>();
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await sidecar.stop(true);
  await database.drop();
  await rm(volume, { recursive: true });
});

/** As the kubelet changes a volume of the Downward API: a new folder, to which a link then leads. */
async function say(word: string, at: number): Promise<void> {
  await mkdir(join(volume, `..${at}`));
  await writeFile(join(volume, `..${at}`, 'events'), word);
  await symlink(`..${at}`, join(volume, '..data_tmp'));
  await rename(join(volume, '..data_tmp'), join(volume, '..data'));
}

test('a preview publishes nothing until its file says so, and again nothing when it takes that back, in one process', async () => {
  await say('standby', 1);
  await symlink('..data/events', join(volume, 'events'));
  const { child, logged, origin } = await startService('chat-api', {
    DATABASE_URL: database.url('chat-api'),
    DAPR_HTTP_PORT: String(sidecar.port),
    JWT_SECRET: SECRET,
    EVENTS_FILE: join(volume, 'events'),
    DELIVERY_DRAIN_MS: '0',
  });
  running.add(child);
  const call = (path: string, body: object, token = '') =>
    fetch(`${origin}/api/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    }).then((response) => response.json() as Promise<{ token: string; id: string }>);
  const { token } = await call('auth/signup', newUser());
  const events = async (taskId: string) => {
    const rows = await database.sql<{ event_id: string; sent: boolean; seconds: number }[]>`
      select event_id, sent_at is not null as sent, extract(epoch from now() - created_at)::float8 as seconds
      from outbox where task_id = ${taskId}`;
    return rows[0];
  };
  /** Longer than two looks of a relay. */
  const waits = async (taskId: string) =>
    expect(await eventually(async () => ((await events(taskId))?.seconds ?? 0) > 2.5 && events(taskId))).toMatchObject({
      sent: false,
    });

  const before = await call('tasks', { title: 'before' }, token);
  await waits(before.id);
  expect(published).toEqual([]);

  await say('on', 2);
  await eventually(() => logged('publishing'));
  const sent = await eventually(async () => {
    const row = await events(before.id);
    return row?.sent && row;
  });
  expect(published).toEqual([sent.event_id]);

  await say('standby', 3);
  await eventually(() => logged('standby'));
  const after = await call('tasks', { title: 'after' }, token);
  await waits(after.id);
  expect(published).toHaveLength(1);

  await say('perhaps', 4);
  await eventually(() => logged('loop degraded'));
  await say('on', 5);
  await eventually(async () => (await events(after.id))?.sent);
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
});
