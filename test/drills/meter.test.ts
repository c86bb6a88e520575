import { afterAll, expect, test } from 'bun:test';
import { startMeter } from './meter.ts';

/** What comes when `/metrics` is asked. */
let scrape: () => Promise<Response>;
const service = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => scrape() });
afterAll(() => service.stop(true));

const metrics = (count: number, startedAt: number) =>
  new Response(
    `process_start_time_seconds{service="audit-logger"} ${startedAt}
taskflow_consumer_deliveries_total{status="SUCCESS"} ${count}
`,
  );

const name = 'audit-logger';
const startsMeter = () => startMeter([{ appId: name, name, origin: service.url.origin }]);

test('adds up what a process took and what took the one after it', async () => {
  const meter = startsMeter();
  for (const [count, startedAt] of [
    [3, 1],
    [7, 1],
    [2, 2],
  ] as const) {
    scrape = async () => metrics(count, startedAt);
    await meter.read(name);
  }
  meter.stop();
  expect(meter.takenBy(name)).toBe(9);
});

test('an answer that comes late takes nothing back', async () => {
  const meter = startsMeter();
  const [asked, late] = [Promise.withResolvers<void>(), Promise.withResolvers<Response>()];
  scrape = () => (asked.resolve(), late.promise);
  const early = meter.read(name);
  await asked.promise;
  scrape = async () => metrics(9, 1);
  await meter.read(name);
  late.resolve(metrics(5, 1));
  await early;
  meter.stop();
  expect(meter.takenBy(name)).toBe(9);
});
