import { setTimeout as sleep } from 'node:timers/promises';
import { createBulk } from './bulk.ts';
import { childTraceparent, type Envelope } from './envelope.ts';
import { type EventLog, type LogRecord, PARTITIONS } from './log.ts';
import { isAllowed, type Manifests, type Subscription } from './manifests.ts';
import { nameOf, type Position } from './offsets.ts';
import { type Call, type Outcome, post, recordHeaders } from './post.ts';
import type { Sidecar, Sidecars } from './sidecar.ts';

/** The Kafka component's own retry, below every policy: a dead letter that cannot be written starts all over. */
const COMPONENT_RETRY_MS = 5000;
const READ_AGAIN_MS = 500;
const BATCH = 100;
/** With the reorder fault: the longest a partition gathers before it delivers backwards. */
const REORDER_MS = 100;

export type Delivery = ReturnType<typeof startDelivery>;

/** A loop per app, topic and partition: one event or one batch at a time, in order, as long as it takes. */
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

  const { timeoutMs } = rules.inbound;
  const bulk = createBulk({
    rules,
    log,
    sidecars,
    signal,
    report,
    noteRetry,
    noteDone,
    post: (sidecar, call) => post(sidecar, call, { appApiToken, timeoutMs }),
    bury: (subscription, position, record) => buried(subscription, position, record, 'drop'),
  });

  const loops = rules.subscriptions.flatMap((subscription) =>
    subscription.appIds.flatMap((appId) =>
      Array.from({ length: PARTITIONS }, (_, partition) =>
        deliverPartition(subscription, { app_id: appId, topic: subscription.topic, partition }),
      ),
    ),
  );

  async function deliverPartition(subscription: Subscription, position: Position): Promise<void> {
    const next = subscription.bulk ? bulk.deliverNext : deliverNext;
    while (!signal.aborted) {
      try {
        await next(subscription, position);
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
    noteDone(position, record.offset);
  }

  /** Attempts as the Resiliency policy says; the outcome of the last one. */
  async function deliverWithRetries({ route }: Subscription, position: Position, record: LogRecord): Promise<Outcome> {
    const { maxRetries, waitMs } = rules.inbound;
    for (let attempt = 0; ; attempt++) {
      const sidecar = await sidecars.owner(position.app_id, position.partition, signal);
      signal.throwIfAborted();
      if (!sidecar) continue;
      if (sidecar.faults.slow_ms) await sleep(sidecar.faults.slow_ms, null, { signal });
      const call = { path: route, ...singleCall(record, rules.pubsub.name) };
      const { outcome, reason } = await answered(sidecar, call);
      if (outcome !== 'retry') {
        if (sidecar.faults.duplicate) await answered(sidecar, call);
        return outcome;
      }
      noteRetry(position, record.offset, reason);
      signal.throwIfAborted();
      if (attempt === maxRetries) return outcome;
      await sleep(waitMs, null, { signal });
    }
  }

  async function answered(sidecar: Sidecar, call: Call): Promise<{ outcome: Outcome; reason: string }> {
    const answer = await post(sidecar, call, { appApiToken, timeoutMs });
    if ('reason' in answer) return { outcome: 'retry', reason: answer.reason }; // to Dapr all of it is retriable
    return { outcome: outcomeOf(answer.status, answer.body), reason: `answered ${answer.status}` };
  }

  function noteRetry(position: Position, offset: number, reason: string): void {
    if (retryingSince.has(nameOf(position))) return;
    retryingSince.set(nameOf(position), Date.now());
    report('delivery is repeated', { ...position, offset, reason });
  }

  function noteDone(position: Position, offset: number): void {
    if (retryingSince.delete(nameOf(position))) report('delivery goes on', { ...position, offset });
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

function singleCall(record: LogRecord, pubsub: string) {
  const { traceparent, tracestate } = JSON.parse(record.envelope) as Envelope;
  return {
    body: record.envelope,
    headers: {
      ...recordHeaders(record),
      pubsubName: pubsub,
      'content-type': 'application/cloudevents+json',
      ...(typeof traceparent === 'string' && { traceparent: childTraceparent(traceparent) }),
      ...(typeof tracestate === 'string' && tracestate && { tracestate }),
    },
  };
}
