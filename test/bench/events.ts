import { apps } from '../../services/local/apps.ts';
import { freePort } from '../../services/local/port.ts';
import { readEvents } from '../../services/local/stream-reader.ts';
import { signUpMany } from '../support/person.ts';
import { createSidecars } from '../support/sidecars.ts';
import { startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';
import { atRate } from '../support/load.ts';
import { ms, print, spread } from './figures.ts';

const PEOPLE = 100; // 500 a second over 100 streams is 5 a second each: below a stream's limit of 10
const SECONDS = 8;
const RATES = [100, 300, 500];

/** POST to SSE line and commit to publish, beside a bare publish-and-deliver through the same sidecars. */
export async function bench(): Promise<void> {
  for (const rate of RATES) {
    const bare = await barePublish(rate);
    const stack = await startStack();
    try {
      const people = await signUpMany(stack, PEOPLE);
      const arrived = new Map<string, number>();
      const streams = await Promise.all(
        people.map((person) =>
          listen(stack.url('/api/v1/notifications/stream'), person.headers, (taskId) =>
            arrived.set(taskId, performance.now()),
          ),
        ),
      );
      const samples: { taskId: string; from: number }[] = [];
      const create = async (i: number) => {
        const from = performance.now();
        const task = await people[i % PEOPLE]?.ask<{ id: string }>('POST', '/tasks', { title: `Task ${i}` });
        samples.push({ taskId: task?.id ?? '', from });
      };
      await atRate(rate, 2, create); // warm
      samples.length = 0;
      await atRate(rate, SECONDS, create);
      await eventually(() => samples.every(({ taskId }) => arrived.has(taskId)), {
        ms: 30_000,
        what: 'every event on its stream',
      });
      const latencies = samples.map(({ taskId, from }) => (arrived.get(taskId) ?? NaN) - from);

      console.log(`\nat ${rate} creates a second, ${PEOPLE} streams, ${SECONDS} s`);
      print('bare publish and deliver (the limit)', spread(bare));
      print('POST to SSE line', spread(latencies));
      const [sent] = await stack.database.sql<{ p50: number; p99: number }[]>`
        select percentile_cont(0.5) within group (order by waited) as p50, percentile_cont(0.99) within group (order by waited) as p99
        from (select extract(epoch from sent_at - created_at)::float8 * 1000 as waited from outbox order by seq desc limit ${samples.length}) as rows`;
      print('commit to publish accepted', `p50 ${ms(sent?.p50 ?? NaN)} · p99 ${ms(sent?.p99 ?? NaN)}`);
      for (const { appId } of apps) print(`RSS ${appId}`, await residentOf(stack.url('/metrics', appId)));
      for (const close of streams) close();
    } finally {
      await stack.stop();
    }
  }
}

/** The same events published by bare HTTP to a sidecar and delivered to a server that only answers. */
async function barePublish(rate: number): Promise<number[]> {
  const [appPort, httpPort] = [freePort(), freePort()];
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  const consumer = Bun.serve({
    port: appPort,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { id } = (await request.json()) as { id: string };
      latencies.push(performance.now() - (sentAt.get(id) ?? NaN));
      return new Response();
    },
  });
  const place = { port: appPort, sidecarPort: httpPort };
  const sidecars = await createSidecars({
    placed: [
      { appId: 'chat-api', name: 'chat-api', ...place },
      { appId: 'audit-logger', name: 'audit-logger', port: appPort, sidecarPort: freePort() },
    ],
    tokens: { DAPR_API_TOKEN: '', APP_API_TOKEN: '' },
    onLine: () => {},
  });
  const publish = async () => {
    const id = Bun.randomUUIDv7();
    sentAt.set(id, performance.now());
    const query = `metadata.partitionKey=${id}&metadata.cloudevent.id=${id}`;
    const response = await fetch(
      `http://127.0.0.1:${httpPort}/v1.0/publish/taskflow-pubsub/taskflow.tasks.created?${query}`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ filler: 'x'.repeat(900) }),
      },
    );
    if (response.status !== 204) throw new Error(`publish answered ${response.status}`);
  };
  try {
    await sidecars.start();
    await atRate(rate, 2, publish); // warm: groups are formed
    await eventually(() => latencies.length === sentAt.size, { ms: 20_000, what: 'the first bare deliveries' });
    latencies.length = 0;
    sentAt.clear();
    await atRate(rate, SECONDS, publish);
    await eventually(() => latencies.length === sentAt.size, { ms: 20_000, what: 'the bare deliveries' });
    return latencies;
  } finally {
    await sidecars.stop();
    await consumer.stop(true);
  }
}

/** Opens a stream and tells the task of each notification as its line arrives. @returns what closes it */
async function listen(
  url: string,
  headers: Record<string, string>,
  onTask: (taskId: string) => void,
): Promise<() => void> {
  const controller = new AbortController();
  const response = await fetch(url, { headers, signal: controller.signal });
  if (response.status !== 200 || !response.body) throw new Error(`the stream answered ${response.status}`);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const { body } = response;
  void (async () => {
    for await (const { event, data } of readEvents(body)) {
      if (event === 'ready') resolve();
      else onTask((JSON.parse(data) as { event?: { task_id: string } }).event?.task_id ?? '');
    }
  })().catch(() => {}); // ends by our own abort
  await ready;
  return () => controller.abort();
}

async function residentOf(metricsUrl: string): Promise<string> {
  const text = await (await fetch(metricsUrl)).text();
  const bytes = Number(/^process_resident_memory_bytes\{.*\} (\S+)/m.exec(text)?.[1]);
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
