import { expect, test } from 'bun:test';
import { PUBSUB } from '#shared/events';
import { manifests, parseManifests } from './manifests.ts';
import { refusals } from './policy.ts';

test('everything below gitops/ may run', () => {
  expect(manifests.length).toBeGreaterThan(0);
  expect(refusals(manifests)).toEqual([]);
});

test('what the pub/sub component delivers is retried without end', () => {
  const targets = manifests
    .filter(({ kind }) => kind === 'Resiliency')
    .map(({ spec }) => spec as { targets: { components: Record<string, { inbound?: { retry?: string } }> } });
  expect(targets.map(({ targets: { components } }) => components[PUBSUB]?.inbound?.retry)).toEqual(['until-served']);
});

const deployment = (annotations: string) => `
kind: Deployment
spec: { template: { metadata: { annotations: { ${annotations} } } } }`;
const patch = `
kind: Kustomization
patches:
  - patch: |
      - op: add
        path: /spec/template/metadata/annotations/dapr.io~1enable-app-health-check
        value: 'true'`;
const resiliency = (retry: string, inbound = '{ retry: served }') => `
kind: Resiliency
spec:
  policies: { retries: { served: ${retry} } }
  targets: { components: { taskflow-pubsub: { inbound: ${inbound} } } }`;
const endless = '{ policy: constant, duration: 2s, maxRetries: -1 }';
const subscription = (bulk: string, more = 'deadLetterTopic: dead', app = 'audit-logger') => `
kind: Subscription
scopes: [${app}]
spec: { topic: any, ${more}, bulkSubscribe: ${bulk} }`;
const bulk = (count: unknown, ms: unknown) =>
  `{ enabled: true, maxMessagesCount: ${String(count)}, maxAwaitDurationMs: ${String(ms)} }`;
const caller = (policy: string) => `
kind: Configuration
spec: { accessControl: { trustDomain: public, policies: [{ appId: caller, ${policy} }] } }`;

test.each([
  ['an app health check', deployment(`dapr.io/enable-app-health-check: 'true'`), 'enable-app-health-check: Dapr'],
  ['an app health check by a patch', patch, 'enable-app-health-check: Dapr'],
  ['a path for it', deployment('dapr.io/app-health-check-path: /health/live'), 'app-health-check-path: Dapr'],
  ['deliveries at the same time', deployment(`dapr.io/app-port: '8000'`), "must be '1', got nothing"],
  [
    'two deliveries at the same time',
    deployment(`dapr.io/app-port: '8000', dapr.io/app-max-concurrency: '2'`),
    "must be '1', got 2",
  ],
  ['a Resiliency beside another document', `${resiliency(endless)}\n---\nkind: Component`, 'the only document'],
  ['retries with an end', resiliency('{ policy: constant, maxRetries: 3 }'), 'maxRetries must be -1, got 3'],
  ['retries that leave their end to Dapr', resiliency('{ policy: constant }'), 'maxRetries must be -1, got nothing'],
  ['retries that end by time', resiliency('{ policy: exponential, maxRetries: -1 }'), 'policy must be constant'],
  ['retries of some failures', resiliency(endless.replace('}', ', matching: {} }')), 'at every other status'],
  ['a delivery without retries', resiliency(endless, '{ timeout: delivery }'), 'inbound has no retry'],
  [
    'retries that there are not',
    resiliency(endless, '{ retry: renamed }'),
    'names no policy of this file, got renamed',
  ],
  [
    'a circuit breaker',
    resiliency(endless, '{ retry: served, circuitBreaker: any }'),
    'circuitBreaker ends the retries',
  ],
  [
    'batches as large as Dapr likes',
    subscription('{ enabled: true, maxAwaitDurationMs: 10 }'),
    'to 100, got undefined',
  ],
  ['batches of more than a delivery may have', subscription(bulk(101, 10)), 'must be 1 to 100, got 101'],
  ['batches that wait as long as Dapr likes', subscription(bulk(100, 0)), 'must be 1 to 200, got 0'],
  ['batches that wait too long', subscription(bulk(100, 201)), 'must be 1 to 200, got 201'],
  ['batches that are switched off', subscription(bulk(100, 10).replace('true', 'false')), 'or all of it go'],
  ['batches of dead letters', subscription(bulk(100, 10), 'routes: {}'), 'dead letters come alone'],
  ['batches for chat-api', subscription(bulk(100, 10), undefined, 'chat-api'), 'one by one'],
  ['a caller in another namespace', caller('namespace: default, trustDomain: public'), 'must be taskflow, got default'],
  ['a caller in no namespace', caller('trustDomain: public'), 'must be taskflow, got nothing'],
  ['a caller in another trust domain', caller('namespace: taskflow, trustDomain: other'), 'accessControl, got other'],
])('refuses %s', (_what, text, reason) => {
  const refused = refusals(parseManifests('overlays/any/file.yaml', text));
  expect(refused).toEqual([expect.stringContaining(reason)]);
  expect(refused).toEqual([expect.stringMatching(/^overlays\/any\/file\.yaml: /)]);
});

test('accepts the same without the fault', () => {
  const good = [
    deployment('dapr.io/enabled: "true"'),
    deployment(`dapr.io/app-port: '8000', dapr.io/app-max-concurrency: '1'`),
    resiliency(endless),
    subscription(bulk(1, 1)),
    subscription(bulk(100, 200)),
    caller('namespace: taskflow, trustDomain: public'),
  ];
  expect(refusals(good.flatMap((text, i) => parseManifests(`${i}.yaml`, text)))).toEqual([]);
});
