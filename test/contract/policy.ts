import { MAX_EVENTS } from '#shared/delivery';
import type { Manifest } from './manifests.ts';

// What Dapr starts with, and what then loses or blocks events or refuses the one permitted call: seen on daprd 1.18.2, or read in its source.

/**
 * One sentence for each manifest and reason, with its file. Nothing for a tree that may run. An overlay is judged by what
 * `kustomize build` makes of it: of patches inside a Kustomization only Dapr's app health check is seen here.
 */
export function refusals(manifests: Manifest[]): string[] {
  return manifests.flatMap((manifest) =>
    [
      ...appHealthCheck(manifest),
      ...sidecars(manifest),
      ...(manifest.kind === 'Resiliency' ? [...company(manifest, manifests), ...ends(manifest)] : []),
      ...(manifest.kind === 'Configuration' ? callers(manifest) : []),
      ...(manifest.kind === 'Subscription' ? batches(manifest) : []),
    ].map((reason) => `${manifest.file}: ${reason}`),
  );
}

/** In any form: an annotation, a patch of one, a flag. A flap of it loses subscriptions, without a word. */
function appHealthCheck(manifest: Manifest): string[] {
  const [found] = JSON.stringify(manifest).match(/(enable-)?app-health-(check|probe|threshold)[\w-]*/) ?? [];
  return found ? [`${found}: Dapr's app health check must stay off`] : [];
}

/**
 * The sidecar may have one call to its app under way and no more. With two, one that finds nobody listening can be taken for
 * answered, and its event for handled: while the app was away 6 of 27,181 events were lost like this, none of 27,559 with one
 * (daprd 1.18.2: concurrent calls share the handler of `pkg/middleware/http/pipeline.go`, unchanged upstream in August 2026).
 */
function sidecars({ spec }: Manifest): string[] {
  const { template } = (spec ?? {}) as { template?: { metadata?: { annotations?: Record<string, string> } } };
  const annotations = template?.metadata?.annotations ?? {};
  if (!('dapr.io/app-port' in annotations)) return [];
  const concurrency = annotations['dapr.io/app-max-concurrency'];
  return concurrency === '1' ? [] : [`dapr.io/app-max-concurrency must be '1', got ${concurrency ?? 'nothing'}`];
}

/** A sidecar that reads files passes over a Resiliency in a file of several documents: every failure is a dead letter then. */
function company({ file }: Manifest, manifests: Manifest[]): string[] {
  const isAlone = manifests.filter((manifest) => manifest.file === file).length === 1;
  return isAlone ? [] : ['a Resiliency must be the only document of its file'];
}

type Resiliency = {
  policies?: { retries?: Record<string, { policy?: string; maxRetries?: number; matching?: object }> };
  targets?: { components?: Record<string, { inbound?: { retry?: string; circuitBreaker?: string } }> };
};

/** Where deliveries stop being repeated, a good event becomes a dead letter by a restart or an outage. */
function ends({ spec }: Manifest): string[] {
  const { policies, targets } = (spec ?? {}) as Resiliency;
  const reasons: string[] = [];
  for (const [name, { policy, maxRetries, matching }] of Object.entries(policies?.retries ?? {})) {
    if (maxRetries !== -1) reasons.push(`retry ${name}: maxRetries must be -1, got ${maxRetries ?? 'nothing'}`);
    if (policy !== 'constant')
      reasons.push(`retry ${name}: policy must be constant, ${policy ?? 'nothing'} may end by time`);
    if (matching) reasons.push(`retry ${name}: matching ends it at every other status`);
  }
  for (const [name, { inbound }] of Object.entries(targets?.components ?? {})) {
    if (inbound && !inbound.retry) reasons.push(`component ${name}: inbound has no retry`);
    if (inbound?.retry && !policies?.retries?.[inbound.retry])
      reasons.push(`component ${name}: inbound.retry names no policy of this file, got ${inbound.retry}`);
    if (inbound?.circuitBreaker) reasons.push(`component ${name}: an open circuitBreaker ends the retries of inbound`);
  }
  return reasons;
}

/** More is more than a consumer reads of a delivery, or longer than anybody waits for a line on a stream. 0 is Dapr's own, 10 s. */
const MAX_AWAIT_MS = 200;

type Bulk = { enabled?: boolean; maxMessagesCount?: number; maxAwaitDurationMs?: number };
type Subscription = { deadLetterTopic?: string; bulkSubscribe?: Bulk };

function batches({ spec, scopes }: Manifest): string[] {
  const { deadLetterTopic, bulkSubscribe } = (spec ?? {}) as Subscription;
  if (!bulkSubscribe) return [];
  const { enabled, maxMessagesCount: count, maxAwaitDurationMs: ms } = bulkSubscribe;
  const isWithin = (value = 0, most: number) => Number.isInteger(value) && value >= 1 && value <= most;
  return [
    ...(enabled === true ? [] : ['bulkSubscribe: enabled must be true, or all of it go']),
    ...(isWithin(count, MAX_EVENTS)
      ? []
      : [`bulkSubscribe: maxMessagesCount must be 1 to ${MAX_EVENTS}, got ${count}`]),
    ...(isWithin(ms, MAX_AWAIT_MS)
      ? []
      : [`bulkSubscribe: maxAwaitDurationMs must be 1 to ${MAX_AWAIT_MS}, got ${ms}`]),
    ...(deadLetterTopic === undefined ? ['bulkSubscribe: dead letters come alone'] : []),
    ...(scopes?.includes('chat-api') ? ['bulkSubscribe: chat-api takes its events one by one'] : []),
  ];
}

type AccessControl = { trustDomain?: string; policies?: { appId: string; namespace?: string; trustDomain?: string }[] };

/** A caller is known by app id, namespace and trust domain together: where one differs even the permitted call is a 403. */
function callers({ spec }: Manifest): string[] {
  const { accessControl } = (spec ?? {}) as { accessControl?: AccessControl };
  return (accessControl?.policies ?? []).flatMap(({ appId, namespace, trustDomain }) => [
    ...(namespace === 'taskflow' ? [] : [`caller ${appId}: namespace must be taskflow, got ${namespace ?? 'nothing'}`]),
    ...(trustDomain !== undefined && trustDomain === accessControl?.trustDomain
      ? []
      : [`caller ${appId}: trustDomain must be that of accessControl, got ${trustDomain ?? 'nothing'}`]),
  ]);
}
