import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { consumers, deadLetterTopic, events, eventTypes, PUBSUB } from '#shared/events';
import { apps } from '../../services/local/machine/apps.ts';
import { refusal, startToys, type Toys } from './fixtures/toys.ts';

// The producer rule, asked of the sidecars themselves: each app publishes through its own.

let toys: Toys;
beforeAll(async () => {
  toys = await startToys(apps.map(({ appId }) => appId));
});
afterAll(() => toys?.stop());

const topics = [
  ...eventTypes.map((type) => ({ topic: events[type].topic as string, publisher: events[type].producer as string })),
  ...Object.keys(consumers).map((appId) => ({ topic: deadLetterTopic(appId), publisher: appId })),
];
const refused = topics.flatMap(({ topic, publisher }) =>
  apps.filter(({ appId }) => appId !== publisher).map(({ appId }) => [appId as string, topic] as const),
);

describe('a sidecar refuses', () => {
  test.each([...refused, ['recurring-task-processor', 'anything'] as const])('%s on %s', async (appId, topic) => {
    for (const path of ['publish', 'publish/bulk']) {
      const body = [{ entryId: '1', event: {}, contentType: 'application/json' }];
      const answer = await toys.post(appId, `/v1.0/${path}/${PUBSUB}/${topic}`, body);
      expect(await refusal(answer)).toEqual([403, 'ERR_PUBSUB_FORBIDDEN']);
    }
  });
});

describe('a sidecar allows', () => {
  test.each(topics)('$publisher on $topic', async ({ publisher, topic }) => {
    const answer = await toys.post(publisher, `/v1.0/publish/${PUBSUB}/${topic}`, {});
    expect(answer.status).toBe(204);
  });
});
