import { describe, expect, test } from 'bun:test';
import { consumers, DEAD_LETTER_ROUTE, deadLetterTopic, events, eventTypes, PUBSUB } from '#shared/events';
import { type Manifest, manifests } from './manifests.ts';

// What gitops/base/dapr says to a real Dapr, read without the stand-in's eyes, against the event catalogue.

const ofKind = (kind: string) =>
  // Kustomize, too, calls something a Component; it has no name.
  manifests.filter((manifest) => manifest.kind === kind && manifest.metadata) as DaprManifest[];

type DaprManifest = Manifest & {
  metadata: { name: string };
  scopes?: string[];
  spec: {
    metadata?: { name: string; value: string }[];
    pubsubname?: string;
    topic?: string;
    routes?: { default: string };
    deadLetterTopic?: string;
    bulkSubscribe?: { maxMessagesCount: number; maxAwaitDurationMs: number };
  };
};

describe('subscriptions', () => {
  const place = (appId: string, topic: string, route: string, deadLetters?: string) =>
    [appId, topic, route, deadLetters ?? 'none'].join(' ');

  test('are those of the event catalogue, each with its dead letter topic', () => {
    const declared = ofKind('Subscription').map(({ scopes, spec }) =>
      place(scopes?.join() ?? 'no scopes', spec.topic ?? '', spec.routes?.default ?? '', spec.deadLetterTopic),
    );
    expect(new Set(ofKind('Subscription').map(({ spec }) => spec.pubsubname))).toEqual(new Set([PUBSUB]));
    const expected = Object.entries(consumers).flatMap(([appId, types]) => [
      ...types.map((type) => place(appId, events[type].topic, events[type].route, deadLetterTopic(appId))),
      place(appId, deadLetterTopic(appId), DEAD_LETTER_ROUTE),
    ]);
    expect(declared.toSorted()).toEqual(expected.toSorted());
    expect(new Set(ofKind('Subscription').map(({ metadata }) => metadata.name)).size).toBe(declared.length);
  });

  test('bring the events of each consumer in batches of its own, but not to chat-api and not dead letters', () => {
    const batches = ofKind('Subscription').flatMap(({ scopes, spec: { bulkSubscribe, topic = '' } }) => {
      const { maxMessagesCount: most, maxAwaitDurationMs: ms } = bulkSubscribe ?? {};
      return bulkSubscribe ? [`${scopes?.join()} ${topic}: ${most} in ${ms} ms`] : [];
    });
    const awaits = { 'notification-service': 10, 'reminder-service': 50, 'audit-logger': 200 };
    const expected = Object.entries(awaits).flatMap(([appId, ms]) =>
      consumers[appId as keyof typeof awaits].map((type) => `${appId} ${events[type].topic}: 100 in ${ms} ms`),
    );
    expect(batches.toSorted()).toEqual(expected.toSorted());
  });
});

describe('the component', () => {
  const component = ofKind('Component').find(({ metadata }) => metadata.name === PUBSUB);
  const value = (name: string) => component?.spec.metadata?.find((item) => item.name === name)?.value;
  const list = (text = '', separator = ',') => text.replaceAll(/\s/g, '').split(separator).filter(Boolean).toSorted();
  const scopes = (name: string) =>
    Object.fromEntries(list(value(name), ';').map((entry) => entry.split('=') as [string, string]));

  test('has the address of the cluster that the topics belong to', () => {
    const clusters = new Set(ofKind('KafkaTopic').map(({ metadata }) => metadata.labels?.['strimzi.io/cluster']));
    expect([...clusters].map((name) => `${name}-kafka-bootstrap:9092`)).toEqual([value('brokers') ?? '']);
  });

  test('has one consumer group per app and skips nothing', () => {
    expect(value('consumerGroup')).toBeUndefined();
    expect(value('initialOffset')).toBe('oldest');
  });

  test('protects every topic', () => {
    const topics = [...eventTypes.map((type) => events[type].topic), ...Object.keys(consumers).map(deadLetterTopic)];
    expect(list(value('protectedTopics'))).toEqual(topics.toSorted());
  });

  test('lets only the producer of an event publish it, and each consumer its dead letters', () => {
    const published = scopes('publishingScopes');
    const apps = [...Object.keys(consumers), 'recurring-task-processor'];
    expect(Object.keys(published).toSorted()).toEqual(apps.toSorted());
    for (const appId of apps) {
      const produced = eventTypes.filter((type) => events[type].producer === appId).map((type) => events[type].topic);
      const own = appId in consumers ? [deadLetterTopic(appId)] : [];
      expect([appId, list(published[appId])]).toEqual([appId, [...produced, ...own].toSorted()]);
    }
  });

  test('lets each consumer read what it subscribes to and nothing else', () => {
    const subscribed = scopes('subscriptionScopes');
    for (const [appId, types] of Object.entries(consumers))
      expect(list(subscribed[appId])).toEqual(
        [...types.map((type) => events[type].topic), deadLetterTopic(appId)].toSorted(),
      );
    expect(subscribed['recurring-task-processor']).toBe('');
  });
});
