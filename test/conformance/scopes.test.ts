import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { consumers, deadLetterTopic, events, eventTypes } from '#shared/events';
import { apps, type AppId } from '../../services/local/apps.ts';
import { type RunningStack, startStack } from '../support/stack.ts';

// The producer rule, asked of the sidecars themselves: each service publishes through its own.

let stack: RunningStack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

const topics = [
  ...eventTypes.map((type) => ({ topic: events[type].topic as string, publisher: events[type].producer as AppId })),
  ...(Object.keys(consumers) as AppId[]).map((appId) => ({ topic: deadLetterTopic(appId), publisher: appId })),
];
const refused = topics.flatMap(({ topic, publisher }) =>
  apps.filter(({ appId }) => appId !== publisher).map(({ appId }) => [appId, topic] as const),
);

describe('a sidecar refuses', () => {
  test.each(refused)('%s on %s', async (appId, topic) => {
    const publish = stack.publishRaw(appId, topic, { from: appId });
    await expect(publish).rejects.toThrow(/^publish answered 403: .*ERR_PUBSUB_FORBIDDEN/);
  });

  test('everything of recurring-task-processor, also a topic that nobody protects', async () => {
    const publish = stack.publishRaw('recurring-task-processor', 'anything', {});
    await expect(publish).rejects.toThrow(/^publish answered 403/);
  });
});
