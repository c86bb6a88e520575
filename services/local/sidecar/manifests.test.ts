import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'bun:test';
import { readManifests } from './manifests.ts';
import { RESOURCES } from './fixture.ts';

test('the repository’s manifests: waits, scopes and routes', async () => {
  const { inbound, pubsub, subscriptions } = await readManifests(RESOURCES);
  expect(inbound).toEqual({ timeoutMs: 10_000, waitMs: 2000, maxRetries: -1 });
  expect(pubsub.publishingScopes.get('recurring-task-processor')).toEqual([]);
  expect(subscriptions).toHaveLength(1 + 5 + 4 + 5 + 4);
});

test.each([
  ['pubsub.yaml', 'pubsub.kafka', 'pubsub.redis', 'spec.type must be pubsub.kafka, got "pubsub.redis"'],
  ['pubsub.yaml', '- name: clientID', '- name: consumerGroup', 'one group per app id'],
  ['pubsub.yaml', 'value: oldest', 'value: earliest', 'initialOffset must be oldest or newest, got "earliest"'],
  [
    'pubsub.yaml',
    'audit-logger=taskflow.dlq.audit-logger;',
    'audit-logger=;',
    'do not allow audit-logger its taskflow.dlq.audit-logger',
  ],
  ['subscriptions.yaml', 'dapr.io/v2alpha1', 'dapr.io/v1alpha1', 'apiVersion must be dapr.io/v2alpha1'],
  ['subscriptions.yaml', 'scopes: [chat-api]', 'scopes: []', 'top-level scopes are missing'],
  [
    'subscriptions.yaml',
    'scopes: [chat-api]',
    'scopes: [audit]',
    'subscriptionScopes of pubsub.yaml do not allow audit',
  ],
  ['subscriptions.yaml', 'pubsubname: taskflow-pubsub', 'pubsubname: other', 'pubsubname must be taskflow-pubsub'],
  [
    'subscriptions.yaml',
    'routes:\n',
    'bulkSubscribe: { enabled: true, maxMessagesCount: 100 }\n  routes:\n',
    'maxAwaitDurationMs must be a whole number above 0, got nothing',
  ],
  ['resiliency.yaml', 'policy: constant', 'policy: exponential', 'policy must be constant, got "exponential"'],
  ['resiliency.yaml', 'duration: 2s', 'duration: soon', 'must be a duration such as 500ms or 2s, got "soon"'],
  [
    'resiliency.yaml',
    'timeout: delivery',
    'timeout: missing',
    'spec.policies.timeouts.missing must be a text, got nothing',
  ],
  ['resiliency.yaml', 'kind: Resiliency', 'kind: Policy', 'kind must be Resiliency'],
  [
    'configuration.yaml',
    'kind: Configuration',
    'kind: Configuration\n---\nkind: Configuration',
    'exactly one Configuration',
  ],
])('%s with %j instead of %j is refused', async (file, right, wrong, complaint) => {
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-manifests-'));
  try {
    await cp(RESOURCES, folder, { recursive: true });
    const path = join(folder, file);
    const text = await Bun.file(path).text();
    expect(text).toContain(right);
    await Bun.write(path, text.replace(right, wrong));
    await expect(readManifests(folder)).rejects.toThrow(complaint);
    await expect(readManifests(folder)).rejects.toThrow(file);
  } finally {
    await rm(folder, { recursive: true });
  }
});
