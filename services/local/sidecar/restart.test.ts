import { afterEach, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import { startService } from '../../../test/support/service.ts';
import { eventually } from '../../../test/support/wait.ts';
import { batches, CREATED, inBulk, publishEvent, RESOURCES, startPair, startToyApp } from './fixture.ts';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

test('kill -9 under load loses nothing that was answered 204, and keeps the order per key', async () => {
  const app = startToyApp(inBulk(() => 'SUCCESS'));
  const ids = () => batches(app).flat();
  const database = await createDatabase();
  open.push(database.drop, app.stop);
  let standIn = await spawnStandIn(database.url(), app.port);
  open.push(() => standIn.kill());

  const accepted: string[] = [];
  for (let i = 0; i < 300; i++) {
    const id = `e${String(i).padStart(3, '0')}`;
    if (i === 100 || i === 200) {
      await standIn.kill();
      standIn = await spawnStandIn(database.url(), app.port);
    }
    const response = await publishEvent(standIn.port, id, { key: `task-${i % 7}` });
    if (response.status === 204) accepted.push(id);
  }
  expect(accepted.length).toBe(300);
  await eventually(() => new Set(ids()).size === 300, 10_000);
  for (let key = 0; key < 7; key++) {
    const ofKey = ids().filter((id) => Number(String(id).slice(1)) % 7 === key);
    const firstTime = [...new Set(ofKey)];
    expect(firstTime).toEqual(firstTime.toSorted());
  }
});

test('a restart goes on where the offsets were saved and gives no offset twice', async () => {
  const app = startToyApp();
  open.push(app.stop);
  const pair = await startPair(app);
  open.push(pair.close);
  for (let i = 0; i < 5; i++) await pair.publish(`e${i}`);
  await eventually(() => app.ids().length === 5);
  await eventually(async () => {
    const [saved] = await pair.sql<
      { sum: string }[]
    >`select sum(next_offset) from sidecar.offsets where app_id = 'audit-logger'`;
    return saved?.sum === '5';
  });
  await app.stop();
  await pair.publish('e5');
  await pair.crashAndRestart();
  await pair.publish('e6');
  app.start();
  await eventually(() => app.ids().includes('e6'));
  expect(app.ids()).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6']);
});

test('a write that fails is answered 500 and leaves no gap: later events are delivered', async () => {
  const app = startToyApp();
  open.push(app.stop);
  const pair = await startPair(app);
  open.push(pair.close);
  await pair.publish('e1');
  await pair.sql`alter table sidecar.log add constraint refused check (envelope not like '%refused%')`;
  const refused = await pair.publish('refused');
  expect([refused.status, (await refused.json()) as { errorCode: string }]).toMatchObject([
    500,
    { errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' },
  ]);
  expect((await pair.publish('e2')).status).toBe(204);
  await eventually(() => app.ids().includes('e2'));
  expect(app.ids()).toEqual(['e1', 'e2']);
});

test('a bulk is one write', async () => {
  const app = startToyApp();
  open.push(app.stop);
  const pair = await startPair(app);
  open.push(pair.close);
  const entries = Array.from({ length: 100 }, (_, i) => ({
    entryId: `e${i}`,
    event: {},
    contentType: 'application/json',
  }));
  const url = `http://127.0.0.1:${pair.standIn.port('chat-api')}/v1.0/publish/bulk/taskflow-pubsub/${CREATED}`;
  expect((await fetch(url, { method: 'POST', body: JSON.stringify(entries) })).status).toBe(204);
  const [row] =
    await pair.sql`select count(*)::int as records, count(distinct xmin::text)::int as writes from sidecar.log`;
  expect(row).toEqual({ records: 100, writes: 1 });
});

test('its connections cut: publishing and delivery go on, nothing accepted is lost', async () => {
  const app = startToyApp();
  open.push(app.stop);
  const pair = await startPair(app);
  open.push(pair.close);
  const accepted: string[] = [];
  for (let i = 0; i < 60; i++) {
    if (i % 20 === 10)
      await pair.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`;
    if ((await pair.publish(`e${i}`)).status === 204) accepted.push(`e${i}`);
  }
  expect(accepted.length).toBeGreaterThan(40);
  await eventually(() => accepted.every((id) => app.ids().includes(id)));
});

test('stop lets a delivery under way end, and it does not come again', async () => {
  const gate = Promise.withResolvers<void>();
  const app = startToyApp(async () => {
    await gate.promise;
    return new Response();
  });
  open.push(app.stop);
  const pair = await startPair(app);
  open.push(pair.close);
  await pair.publish('e1');
  await eventually(() => app.ids().includes('e1'));
  const stopped = pair.standIn.stop();
  gate.resolve();
  await stopped;
  await pair.crashAndRestart();
  await pair.publish('e2');
  await eventually(() => app.ids().includes('e2'));
  expect(app.ids()).toEqual(['e1', 'e2']);
});

test('trims what is older than seven days and read by all, nothing else', async () => {
  const app = startToyApp();
  open.push(app.stop);
  const pair = await startPair(app);
  open.push(pair.close);
  for (const id of ['old', 'young']) await pair.publish(id);
  await eventually(() => app.ids().length === 2);
  await pair.standIn.stop();
  const count = async () => (await pair.sql`select 1 from sidecar.log`).length;

  await pair.sql`update sidecar.log set written_at = now() - interval '8 days' where envelope like '%"old"%'`;
  await pair.crashAndRestart();
  // notification-service and reminder-service, not started here, have not read it.
  expect(await count()).toBe(2);
  await pair.standIn.stop();
  await pair.sql`update sidecar.offsets set next_offset = 1 where topic = 'taskflow.tasks.created' and app_id <> 'audit-logger'`;
  await pair.crashAndRestart();
  expect(await count()).toBe(2 - 1);
  await pair.publish('later');
  await eventually(() => app.ids().includes('later'));
});

/** The process as `up` starts it: its chat-api sidecar's port, and a kill that waits for the end. */
async function spawnStandIn(databaseUrl: string, appPort: number) {
  const environment = {
    SIDECAR_DATABASE_URL: databaseUrl,
    SIDECAR_RESOURCES: RESOURCES,
    SIDECAR_CONTROL_PORT: '0',
    SIDECAR_CONTROL_TOKEN: 'shown by nobody',
    SIDECAR_APPS: JSON.stringify([
      { appId: 'chat-api', httpPort: 0 },
      { appId: 'audit-logger', appPort, httpPort: 0 },
    ]),
  };
  const ready = 'sidecars started';
  const { child, logged } = await startService('local/sidecar', environment, { ready });
  const { apps } = logged(ready) as unknown as { apps: { http_port: number }[] };
  return {
    port: apps[0]?.http_port ?? 0,
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
