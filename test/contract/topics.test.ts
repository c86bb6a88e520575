import { expect, test } from 'bun:test';
import { consumers, deadLetterTopic, events, eventTypes } from '#shared/events';
import { topicsOfManifests } from '../../services/local/real/resources.ts';
import { manifests } from './manifests.ts';

const RETENTION_MS = 7 * 86_400_000;

// An overlay may have more replicas of them, and then `min.insync.replicas`.
const declared = manifests.filter(({ file, kind }) => file.startsWith('data/base/') && kind === 'KafkaTopic');
const names = declared.map(({ metadata }) => metadata?.name);
const catalogue = [...eventTypes.map((type) => events[type].topic), ...Object.keys(consumers).map(deadLetterTopic)];

test('the declared topics are those of the events and one of dead letters for each consumer', () => {
  expect(names.toSorted()).toEqual(catalogue.toSorted());
});

test('each is what Strimzi makes of 3 partitions and 7 days, and is never pruned', () => {
  for (const { apiVersion, spec, metadata } of declared) {
    expect({ apiVersion, spec }).toEqual({
      apiVersion: 'kafka.strimzi.io/v1',
      // More than this, and a broker on one machine has it too: see services/local/real/kafka-wire.ts.
      spec: { partitions: 3, replicas: 1, config: { 'retention.ms': RETENTION_MS } },
    });
    expect(metadata?.annotations).toEqual({ 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false' });
  }
});

test('no other manifest names a topic that is not declared', () => {
  const named = manifests
    .filter(({ kind }) => kind !== 'KafkaTopic')
    .flatMap((manifest) => JSON.stringify(manifest).match(/\btaskflow\.(tasks|dlq)\.[\w.-]+/g) ?? []);
  expect(named.length).toBeGreaterThan(names.length);
  expect(named.filter((name) => !names.includes(name))).toEqual([]);
});

test('the broker of the real parts gets the same', async () => {
  const topics = catalogue.map((name) => ({ name, partitions: 3, retentionMs: RETENTION_MS }));
  expect((await topicsOfManifests()).toSorted(byName)).toEqual(topics.toSorted(byName));
});

const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
