import { describe, expect, test } from 'bun:test';
import { consumers, DEAD_LETTER_ROUTE, deadLetterTopic, events, eventTypes, PUBSUB } from '#shared/events';

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown>;
  scopes?: string[];
}

async function manifests(file: string): Promise<Manifest[]> {
  const text = await Bun.file(new URL(`../../gitops/base/dapr/${file}.yaml`, import.meta.url)).text();
  return [Bun.YAML.parse(text)].flat() as Manifest[];
}

describe('gitops/base/dapr equals the catalogue', () => {
  test('each consumer subscribes to exactly its types, and to its own dead letters', async () => {
    const found = (await manifests('subscriptions')).map(({ spec, scopes }) => ({
      app: scopes?.join(),
      topic: spec.topic,
      route: (spec.routes as { default: string }).default,
      dead: spec.deadLetterTopic,
      pubsub: spec.pubsubname,
    }));
    const wanted = Object.entries(consumers).flatMap(([app, types]) => [
      ...types.map((type) => ({
        app,
        topic: events[type].topic,
        route: events[type].route,
        dead: deadLetterTopic(app),
        pubsub: PUBSUB,
      })),
      { app, topic: deadLetterTopic(app), route: DEAD_LETTER_ROUTE, dead: undefined, pubsub: PUBSUB },
    ]);
    const byName = (a: { app?: string | undefined; topic: unknown }, b: { app?: string | undefined; topic: unknown }) =>
      `${a.app} ${a.topic}`.localeCompare(`${b.app} ${b.topic}`);
    expect(found.sort(byName)).toEqual(wanted.sort(byName) as typeof found);
  });

  test('only its producer may publish a type, and every topic is protected', async () => {
    const [component] = await manifests('pubsub');
    const metadata = Object.fromEntries(
      (component?.spec.metadata as { name: string; value: string }[]).map(({ name, value }) => [name, value]),
    );
    const list = (text = '') =>
      text
        .split(',')
        .map((entry) => entry.trim())
        .filter(Boolean);
    const scopes = new Map(
      (metadata.publishingScopes ?? '').split(';').map((entry) => {
        const [app = '', topics] = entry.split('=');
        return [app.trim(), list(topics)] as const;
      }),
    );
    expect(component?.metadata.name).toBe(PUBSUB);
    for (const type of eventTypes) {
      const publishers = [...scopes].filter(([, topics]) => topics.includes(events[type].topic)).map(([app]) => app);
      expect(publishers).toEqual([events[type].producer]);
    }
    expect(scopes.get('recurring-task-processor')).toEqual([]);
    const topics = [...eventTypes.map((type) => events[type].topic), ...Object.keys(consumers).map(deadLetterTopic)];
    expect(list(metadata.protectedTopics).sort()).toEqual(topics.sort());
    for (const app of Object.keys(consumers)) expect(scopes.get(app)).toContain(deadLetterTopic(app));
  });
});
