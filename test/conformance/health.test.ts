import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { DEAD_LETTER_ROUTE, deadLetterTopic, events, eventTypes, PUBSUB } from '#shared/events';
import type { AppId } from '../../services/local/machine/apps.ts';
import { eventually } from '../support/wait.ts';
import { differences } from './differences.ts';
import { refusal, startToys, type Toys } from './fixtures/toys.ts';

// What a sidecar says of itself and does for its app in every state of the app and of the broker. Its own health never
// tells of the broker: look at the components, or at what publishing answers.

const REMINDERS = 'taskflow.tasks.reminder-triggered';
const well = { healthz: 204, outbound: 204, components: [PUBSUB] };
/** Of `shared/dapr.ts`: after this a publisher takes a publish for lost, and repeats it. */
const PUBLISHER_PATIENCE_MS = 5000;

let toys: Toys;
beforeAll(async () => {
  toys = await startToys(['chat-api', 'audit-logger', 'reminder-service'], { absent: ['reminder-service'] });
});
afterAll(() => toys?.stop());

async function health(name: string) {
  const [healthz, outbound, metadata] = await Promise.all([
    toys.ask(name, '/v1.0/healthz'),
    toys.ask(name, '/v1.0/healthz/outbound'),
    toys.call(name, '/v1.0/metadata'),
  ]);
  const { components = [] } = (await metadata.json()) as { components?: { name: string }[] };
  return {
    healthz: healthz.status === 204 ? 204 : await refusal(healthz),
    outbound: outbound.status,
    components: components.map((component) => component.name),
  };
}

/** Always to one partition: a Kafka client has a state for each. */
async function timedPublish() {
  const id = crypto.randomUUID();
  const startedAt = performance.now();
  const response = await toys.tryToPublish({ id, metadata: { partitionKey: 'task-1' } });
  const ms = performance.now() - startedAt;
  return { id, ms, answer: response.status === 204 ? 204 : await refusal(response) };
}

/** Puts the broker into a state, as the sidecars of these apps see it. */
async function broker(publish: 'ok' | 'hang' | 'fail' | 'absent', appIds: AppId[] = ['chat-api']): Promise<void> {
  for (const appId of appIds) await toys.sidecars.fault(appId, { publish });
}

/** @returns the id of the first event that the broker took */
const publishingWorks = () =>
  eventually(
    async () => {
      const { id, answer } = await timedPublish();
      return answer === 204 && id;
    },
    { ms: 60_000, what: 'publishing to work' },
  );

describe('the sidecar of an app', () => {
  test('that does not listen yet is unready, and publishes for it; what waits comes when it listens', async () => {
    const late = toys.app('reminder-service');
    expect(await health('reminder-service')).toEqual({ ...well, healthz: [500, 'ERR_HEALTH_NOT_READY'] });
    const sent = await toys.publish({ from: 'reminder-service', topic: REMINDERS });
    await toys.app('audit-logger').receives(sent, { path: '/events/reminder-triggered' });
    const waits = await toys.publish();
    late.open();
    await late.receives(waits);
    await toys.becomesReady('reminder-service');
    expect(await health('reminder-service')).toEqual(well);
  });

  test('that is gone again stays ready, and publishes', async () => {
    const app = toys.app('chat-api');
    await app.close();
    expect(await health('chat-api')).toEqual(well);
    await toys.publish();
    app.open();
  });
});

describe('with the broker frozen', () => {
  beforeAll(async () => {
    await publishingWorks();
    await broker('hang');
  }, 90_000);
  afterAll(() => broker('ok'));

  test('a sidecar is well, publishing fails beyond that patience, and the event arrives all the same', async () => {
    const { id, ms, answer } = await timedPublish();
    expect(answer).toEqual([500, 'ERR_PUBSUB_PUBLISH_MESSAGE']);
    expect(ms).toBeWithin(PUBLISHER_PATIENCE_MS, 13_000);
    expect(await health('chat-api')).toEqual(well);
    expect(toys.app('audit-logger').of(id)).toEqual([]);
    await broker('ok');
    await toys.app('audit-logger').receives(id, { ms: 20_000 });
  }, 60_000);
});

describe('with the broker stopped', () => {
  beforeAll(() => broker('fail'), 90_000);
  afterAll(() => broker('ok'), 90_000);

  test('a sidecar is well, and publishing fails within the patience of a publisher', async () => {
    const publishes = [];
    for (let i = 0; i < 6; i++) publishes.push(await timedPublish());
    for (const { answer, ms } of publishes) {
      expect(answer).toEqual([500, 'ERR_PUBSUB_PUBLISH_MESSAGE']);
      expect(ms).toBeLessThan(PUBLISHER_PATIENCE_MS);
    }
    expect(Math.max(...publishes.map(({ ms }) => ms))).toBeWithin(...differences.stoppedBrokerMs);
    expect(await health('chat-api')).toEqual(well);
  }, 60_000);
});

describe('with the broker absent when the sidecar started', () => {
  beforeAll(() => broker('absent', ['chat-api', 'audit-logger']), 90_000);
  afterAll(() => broker('ok', ['chat-api', 'audit-logger']), 90_000);

  test('a sidecar is well but for the component, which nobody can publish to', async () => {
    await toys.becomesReady('chat-api');
    expect(await health('chat-api')).toEqual({ ...well, components: [] });
    expect((await timedPublish()).answer).toEqual([404, 'ERR_PUBSUB_NOT_FOUND']);
  });

  test('it loads the component when the broker is there, publishes and delivers', async () => {
    await broker('ok', ['chat-api', 'audit-logger']);
    const id = await publishingWorks();
    expect(await health('chat-api')).toEqual(well);
    await toys.app('audit-logger').receives(id, { ms: 30_000 });
    await toys.becomesReady('audit-logger');
    expect(await health('audit-logger')).toEqual(well);
  }, 60_000);
});

test('metadata tell the component and what the app is subscribed to', async () => {
  const answer = await toys.call('audit-logger', '/v1.0/metadata');
  const { id, components, subscriptions } = (await answer.json()) as Record<string, unknown>;
  expect([id, components]).toEqual([
    'audit-logger',
    [{ name: PUBSUB, type: 'pubsub.kafka', version: 'v1', capabilities: ['BULK_PUBSUB'] }],
  ]);
  const own = (topic: string, path: string, deadLetterTopic: string) => ({
    pubsubname: PUBSUB,
    topic,
    rules: [{ path }],
    deadLetterTopic,
    type: 'DECLARATIVE',
  });
  const letters = deadLetterTopic('audit-logger');
  const expected = [
    ...eventTypes.map((type) => own(events[type].topic, events[type].route, letters)),
    own(letters, DEAD_LETTER_ROUTE, ''),
  ];
  expect(new Set(subscriptions as object[])).toEqual(new Set(expected));
});
