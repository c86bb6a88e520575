import { setTimeout as sleep } from 'node:timers/promises';
import { childTraceparent, type Envelope } from './envelope.ts';
import { type EventLog, type LogRecord, PARTITIONS } from './log.ts';
import { isAllowed, type Manifests, type Subscription } from './manifests.ts';
import { nameOf, type Position } from './offsets.ts';
import type { Sidecar, Sidecars } from './sidecar.ts';

/** The Kafka component's own retry, below every policy: a dead letter that cannot be written starts all over. */
const COMPONENT_RETRY_MS = 5000;
const READ_AGAIN_MS = 500;
const BATCH = 100;
/** With the reorder fault: the longest a partition gathers before it delivers backwards. */
const REORDER_MS = 100;

type Outcome = 'success' | 'drop' | 'retry';
type Answer = { outcome: Outcome; reason: string };

export type Delivery = ReturnType<typeof startDelivery>;

/** A loop per app, topic and partition: one event at a time, in order, as long as it takes. */
export function startDelivery(
  rules: Manifests,
  log: EventLog,
  sidecars: Sidecars,
  { appApiToken, report }: { appApiToken: string | null; report: (message: string, fields: object) => void },
) {
  const stopping = new AbortController();
  const { signal } = stopping;
  /** Since when the event at the head of a partition is being repeated, by `app/topic/partition`, ms. */
  const retryingSince = new Map<string, number>();

  const loops = rules.subscriptions.flatMap((subscription) =>
    subscription.appIds.flatMap((appId) =>
      Array.from({ length: PARTITIONS }, (_, partition) =>
        deliverPartition(subscription, { app_id: appId, topic: subscription.topic, partition }),
      ),
    ),
  );

  async function deliverPartition(subscription: Subscription, position: Position): Promise<void> {
    while (!signal.aborted) {
      try {
        await deliverNext(subscription, position);
      } catch (error) {
        if (signal.aborted) return;
        report('reading or dead-lettering failed', { ...position, error: String(error) });
        await sleep(READ_AGAIN_MS, null, { signal }).catch(() => {}); // Aborted: the loop ends at its condition.
      }
    }
  }

  /** Returns when there was nothing, and then something; or when all that was there is delivered. */
  async function deliverNext(subscription: Subscription, position: Position): Promise<void> {
    const sidecar = await sidecars.owner(position.app_id, position.partition, signal);
    if (!sidecar) return;
    const appended = log.appended(position);
    let records = await log.read(position, BATCH);
    if (!records.length) return appended;

    if (sidecar.faults.reorder) {
      await sleep(Math.random() * REORDER_MS, null, { signal });
      records = (await log.read(position, BATCH)).reverse();
      for (const record of records) await deliver(subscription, position, record);
      log.commit(position, Math.max(...records.map(({ offset }) => offset)) + 1);
      return;
    }
    for (const record of records) {
      if (signal.aborted) return;
      await deliver(subscription, position, record);
      log.commit(position, record.offset + 1);
    }
  }

  /** Until the app took it or it is a dead letter; throws when stopped. */
  async function deliver(subscription: Subscription, position: Position, record: LogRecord): Promise<void> {
    for (;;) {
      const outcome = await deliverWithRetries(subscription, position, record);
      if (outcome === 'success' || (await buried(subscription, position, record, outcome))) break;
      await sleep(COMPONENT_RETRY_MS, null, { signal });
    }
    if (retryingSince.delete(nameOf(position))) report('delivery goes on', { ...position, offset: record.offset });
  }

  /** Attempts as the Resiliency policy says; the outcome of the last one. */
  async function deliverWithRetries({ route }: Subscription, position: Position, record: LogRecord): Promise<Outcome> {
    const { maxRetries, waitMs, timeoutMs } = rules.inbound;
    for (let attempt = 0; ; attempt++) {
      const sidecar = await sidecars.owner(position.app_id, position.partition, signal);
      signal.throwIfAborted();
      if (!sidecar) continue;
      if (sidecar.faults.slow_ms) await sleep(sidecar.faults.slow_ms, null, { signal });
      const { outcome, reason } = await post(sidecar, route, record, timeoutMs);
      if (outcome !== 'retry') {
        if (sidecar.faults.duplicate) await post(sidecar, route, record, timeoutMs);
        return outcome;
      }
      noteRetry(position, record, reason);
      signal.throwIfAborted();
      if (attempt === maxRetries) return outcome;
      await sleep(waitMs, null, { signal });
    }
  }

  function noteRetry(position: Position, { offset }: LogRecord, reason: string): void {
    if (retryingSince.has(nameOf(position))) return;
    retryingSince.set(nameOf(position), Date.now());
    report('delivery is repeated', { ...position, offset, reason });
  }

  async function post(sidecar: Sidecar, path: string, record: LogRecord, timeoutMs: number | null): Promise<Answer> {
    const call = sidecar.beginCall(timeoutMs);
    try {
      const response = await fetch(`http://127.0.0.1:${sidecar.appPort}${path}`, {
        method: 'POST',
        headers: deliveryHeaders(record, rules.pubsub.name, appApiToken),
        body: record.envelope,
        redirect: 'manual',
        signal: call.signal,
      });
      return { outcome: outcomeOf(response.status, await response.text()), reason: `answered ${response.status}` };
    } catch (error) {
      // Refused, reset or too late: to Dapr all of it is retriable.
      return { outcome: 'retry', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      call.end();
    }
  }

  /** True when the event is out of the way: in its dead letter topic, or dropped because there is none. */
  async function buried(
    { deadLetterTopic }: Subscription,
    position: Position,
    record: LogRecord,
    outcome: Outcome,
  ): Promise<boolean> {
    if (!deadLetterTopic) return outcome === 'drop';
    // Under the consumer's own id; refused, the event blocks its partition, as in Dapr.
    if (!isAllowed(rules.pubsub, rules.pubsub.publishingScopes, position.app_id, deadLetterTopic)) return false;
    const { key, envelope, offset } = record;
    await log.append({ topic: deadLetterTopic, key, headers: recordHeaders(record), envelope });
    report('dead letter', { ...position, offset, event_id: (JSON.parse(envelope) as Envelope).id });
    return true;
  }

  return {
    /** How long the event at the head of the partition has been repeated; 0 when it is not. */
    retryingMs(position: Position): number {
      const since = retryingSince.get(nameOf(position));
      return since === undefined ? 0 : Date.now() - since;
    },
    /** No new delivery; those under way have `graceMs` to end, then they are cut and come again at the next start. */
    async stop(graceMs: number): Promise<void> {
      stopping.abort();
      log.wakeReaders();
      sidecars.wake();
      const cut = setTimeout(() => sidecars.cutCalls(), graceMs);
      await Promise.all(loops);
      clearTimeout(cut);
    },
  };
}

/**
 * What an app's answer means (dapr/pkg/runtime/subscription/postman/http): 404 and DROP are not repeated; 2xx is done
 * unless its JSON carries another status; everything else is repeated.
 */
export function outcomeOf(status: number, body: string): Outcome {
  if (status === 404) return 'drop';
  if (status < 200 || status > 299) return 'retry';
  switch (statusOf(body)) {
    case undefined:
    case '':
    case 'SUCCESS':
      return 'success';
    case 'DROP':
      return 'drop';
    default:
      return 'retry';
  }
}

function statusOf(body: string): string | undefined {
  try {
    const { status } = JSON.parse(body) as { status?: unknown };
    return typeof status === 'string' ? status : undefined;
  } catch {
    return undefined;
  }
}

function deliveryHeaders(record: LogRecord, pubsub: string, appApiToken: string | null): Record<string, string> {
  const { traceparent, tracestate } = JSON.parse(record.envelope) as Envelope;
  return {
    ...recordHeaders(record),
    pubsubName: pubsub,
    'content-type': 'application/cloudevents+json',
    ...(typeof traceparent === 'string' && { traceparent: childTraceparent(traceparent) }),
    ...(typeof tracestate === 'string' && tracestate && { tracestate }),
    ...(appApiToken && { 'dapr-api-token': appApiToken }),
  };
}

/** Kafka's record metadata. A dead letter carries its original's as headers, and those win. */
function recordHeaders({ topic, partition, offset, key, writtenAt, headers }: LogRecord): Record<string, string> {
  return {
    __topic: topic,
    __partition: String(partition),
    __offset: String(offset),
    __timestamp: String(Math.round(writtenAt)),
    ...(key !== null && { __key: key }),
    ...headers,
  };
}
