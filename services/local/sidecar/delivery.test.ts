import { afterEach, describe, expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { outcomeOf } from './delivery.ts';
import { DEAD_LETTERS, quickManifests, type Received, startPair, startToyApp, twoReplicas } from './fixture.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function setUp(answer?: (received: Received) => Response | Promise<Response>, options = {}) {
  const app = startToyApp(answer);
  open.push(app.stop);
  const pair = await startPair(app, options);
  open.push(pair.close);
  return { app, pair };
}

// What each answer of an app leads to is in test/conformance.
describe('delivery', () => {
  test('keeps the order of a key, one at a time, whatever the publisher has in flight', async () => {
    let inHand = 0;
    const { app, pair } = await setUp(async () => {
      expect(++inHand).toBe(1);
      await new Promise(setImmediate);
      inHand--;
      return new Response();
    });
    const ids = Array.from({ length: 60 }, (_, i) => `e${i}`);
    for (let i = 0; i < ids.length; i += 3) {
      // Three in flight: their order is the order of arrival, so only the groups are compared.
      await Promise.all(ids.slice(i, i + 3).map((id) => pair.publish(id)));
    }
    await eventually(() => app.received.length === ids.length);
    const groups = app.ids().map((id) => Math.floor(Number(String(id).slice(1)) / 3));
    expect(groups).toEqual(groups.toSorted((a, b) => a - b));
  });

  test('is repeated while the app is gone, and the state tells for how long', async () => {
    const { app, pair } = await setUp();
    await pair.publish('e1');
    await eventually(() => app.ids().length === 1);
    await app.stop();
    await pair.publish('e2');
    await eventually(() => pair.standIn.state().lag.some(({ retrying_ms }) => retrying_ms > 100));
    app.start();
    await eventually(() => app.ids().includes('e2'));
    expect(app.ids()).toEqual(['e1', 'e2']);
    expect(pair.standIn.state().dead_letters[DEAD_LETTERS]).toBe(0);
  });

  test('a policy with an end dead-letters after 1 + maxRetries attempts', async () => {
    const manifests = await quickManifests();
    const resources = { ...manifests, inbound: { timeoutMs: 300, waitMs: 5, maxRetries: 3 } };
    const { app, pair } = await setUp(
      ({ path }) => new Response('', { status: path === '/events/dead-letter' ? 200 : 503 }),
      { resources },
    );
    await pair.publish('e1');
    await eventually(() => app.ids('/events/dead-letter').length);
    expect(app.ids()).toEqual(['e1', 'e1', 'e1', 'e1']);
    expect(pair.standIn.state().dead_letters[DEAD_LETTERS]).toBe(1);
  });
});

describe('faults', () => {
  test('off cuts a delivery that hangs, and another replica takes the event', async () => {
    const manifests = await quickManifests();
    const forever = () => new Promise<Response>(() => {});
    const [one, two] = [startToyApp(), startToyApp()];
    open.push(one.stop, two.stop);
    const pair = await startPair(one, {
      resources: { ...manifests, inbound: { ...manifests.inbound, timeoutMs: 60_000 } },
      apps: twoReplicas(one, two),
    });
    open.push(pair.close);
    await eventually(() => pair.standIn.state().apps.every(({ ready }) => ready));
    one.answer = two.answer = forever;
    await pair.publish('e1');
    await eventually(() => one.received.length + two.received.length === 1);
    const [taker, other] = one.received.length ? [0, two] : [1, one];
    other.answer = () => new Response();
    pair.standIn.setFaults('audit-logger', { state: 'off' }, taker);
    await eventually(() => other.ids().includes('e1'));
  });

  test('off refuses and holds deliveries, on resumes where it stopped', async () => {
    const { app, pair } = await setUp();
    const waiting = () =>
      pair.standIn.state().lag.reduce((sum, { app_id, lag }) => sum + (app_id === 'audit-logger' ? lag : 0), 0);
    await pair.publish('e1');
    await eventually(() => app.ids().includes('e1') && waiting() === 0);
    pair.standIn.setFaults('audit-logger', { state: 'off' });
    const health = `http://127.0.0.1:${pair.standIn.port('audit-logger')}/v1.0/healthz/outbound`;
    await expect(fetch(health)).rejects.toThrow();
    await pair.publish('e2');
    expect(waiting()).toBe(1);
    pair.standIn.setFaults('audit-logger', { state: 'on' });
    await eventually(() => app.ids().includes('e2'));
    expect(app.ids()).toEqual(['e1', 'e2']);
    expect((await fetch(health)).status).toBe(204);
  });

  test('duplicate delivers each event twice', async () => {
    const { app, pair } = await setUp();
    pair.standIn.setFaults('audit-logger', { duplicate: true });
    await pair.publish('e1');
    await pair.publish('e2');
    await eventually(() => app.received.length === 4);
    expect(app.ids()).toEqual(['e1', 'e1', 'e2', 'e2']);
  });

  test('reorder delivers what waits newest first, and all of it', async () => {
    const { app, pair } = await setUp();
    pair.standIn.setFaults('audit-logger', { state: 'off', reorder: true });
    for (let i = 0; i < 5; i++) await pair.publish(`e${i}`);
    pair.standIn.setFaults('audit-logger', { state: 'on' });
    await eventually(() => app.received.length === 5);
    expect(app.ids()).toEqual(['e4', 'e3', 'e2', 'e1', 'e0']);
  });

  test('slow delays a delivery', async () => {
    const { app, pair } = await setUp();
    pair.standIn.setFaults('audit-logger', { slow_ms: 120 });
    const startedAt = performance.now();
    await pair.publish('e1');
    await eventually(() => app.received.length);
    expect(performance.now() - startedAt).toBeGreaterThan(115);
  });
});

test.each([
  [200, '', 'success'],
  [204, '', 'success'],
  [200, 'no json', 'success'],
  [200, '{"status":"SUCCESS"}', 'success'],
  [200, '{"status":""}', 'success'],
  [200, 'null', 'success'],
  [200, '{"status":"RETRY"}', 'retry'],
  [200, '{"status":"success"}', 'retry'],
  [200, '{"status":"DROP"}', 'drop'],
  [404, '', 'drop'],
  [400, '{"status":"SUCCESS"}', 'retry'],
  [429, '', 'retry'],
  [503, '', 'retry'],
] as const)('an answer %p %p means %p', (status, body, outcome) => {
  expect(outcomeOf(status, body)).toBe(outcome);
});
