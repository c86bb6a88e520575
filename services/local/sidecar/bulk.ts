import { setTimeout as sleep } from 'node:timers/promises';
import { childTraceparent, type Envelope } from './envelope.ts';
import type { EventLog, LogRecord } from './log.ts';
import type { Manifests, Subscription } from './manifests.ts';
import { nameOf, type Position } from './offsets.ts';
import { type Call, type Outcome, recordHeaders } from './post.ts';
import type { Sidecar, Sidecars } from './sidecar.ts';

/** An event of a batch; its id is its place in the batch as that was read, also when a part of it is sent again. */
type Entry = { entryId: string; record: LogRecord };

type Deps = {
  rules: Manifests;
  log: EventLog;
  sidecars: Sidecars;
  signal: AbortSignal;
  report: (message: string, fields: object) => void;
  post: (sidecar: Sidecar, call: Call) => Promise<{ status: number; body: string } | { reason: string }>;
  noteRetry: (position: Position, offset: number, reason: string) => void;
  noteDone: (position: Position, offset: number) => void;
  /** Into the dead letter topic, where there is one and it may be written. */
  bury: (subscription: Subscription, position: Position, record: LogRecord) => Promise<boolean>;
};

/**
 * Delivery in batches, as Dapr's bulk subscribe on Kafka does it (components-contrib 1.18.3, common/component/kafka/consumer.go;
 * dapr 1.18.2, pkg/runtime/subscription): a batch is of one partition, and goes when it is full or at the next tick of
 * that partition. A sidecar has one batch at a time under way, all its repetitions included.
 */
export function createBulk({ rules, log, sidecars, signal, report, post, noteRetry, noteDone, bury }: Deps) {
  /** Since when each partition ticks, ms: from the start, after a full batch anew. */
  const tickingSince = new Map<string, number>();

  /** Returns when there was nothing, and then something; or when a batch is out of the way, at least with this owner. */
  async function deliverNext(subscription: Subscription, position: Position): Promise<void> {
    const { maxMessages } = subscription.bulk ?? { maxMessages: 1 };
    const owner = await sidecars.owner(position.app_id, position.partition, signal);
    if (!owner) return;
    const appended = log.appended(position);
    if (log.waiting(position) <= 0) return appended;
    await collected(subscription, position);
    await owner.inTurn(async () => {
      if (!isOwner(owner, position)) return;
      const records = await log.read(position, maxMessages);
      if (records.length === 0) return;
      if (records.length === maxMessages) tickingSince.set(nameOf(position), performance.now());
      await flush(owner, subscription, position, records);
    });
  }

  /** Until the batch is full or its partition ticks, or all is stopped. */
  async function collected({ bulk }: Subscription, position: Position): Promise<void> {
    const { maxMessages, awaitMs } = bulk ?? { maxMessages: 1, awaitMs: 1 };
    const now = performance.now();
    const since = tickingSince.get(nameOf(position)) ?? now - Math.random() * awaitMs;
    tickingSince.set(nameOf(position), since);
    const tick = sleep(awaitMs - ((now - since) % awaitMs), true, { signal }).catch(() => true);
    for (let hasTicked = false; !hasTicked && log.waiting(position) < maxMessages;) {
      hasTicked = await Promise.race([tick, log.appended(position).then(() => false)]);
    }
  }

  /** Only what failed is sent again. What was done behind it is given again to whoever comes next, if this owner goes. */
  async function flush(owner: Sidecar, subscription: Subscription, position: Position, records: LogRecord[]) {
    const { maxRetries, waitMs } = rules.inbound;
    const batch = { id: crypto.randomUUID(), topic: position.topic };
    let entries: Entry[] = records.map((record, i) => ({ entryId: String(i), record }));
    for (let attempt = 0; entries.length > 0; attempt++) {
      if (!isOwner(owner, position)) return commitBefore(owner, position, entries);
      const outcomes = await deliver(owner, subscription, batch, entries);
      const dropped = entries.filter(({ entryId }) => outcomes.of(entryId) === 'drop');
      if (dropped.length > 0 && entries.length < records.length) return end(owner, position);
      // Acknowledged whether or not that could be written, as in Dapr.
      for (const { record } of dropped) await bury(subscription, position, record);
      entries = entries.filter(({ entryId }) => outcomes.of(entryId) === 'retry');
      const [first] = entries;
      if (!first) break;
      noteRetry(position, first.record.offset, outcomes.reason);
      if (attempt === maxRetries) {
        for (const { record } of entries) await bury(subscription, position, record);
        break;
      }
      await pause(owner, position, waitMs);
    }
    const last = records.at(-1)?.offset ?? 0;
    log.commit(position, last + 1);
    noteDone(position, last);
  }

  async function deliver(
    owner: Sidecar,
    { route }: Subscription,
    batch: { id: string; topic: string },
    entries: Entry[],
  ): Promise<{ of: (entryId: string) => Outcome; reason: string }> {
    const { slow_ms: slowMs, duplicate, reorder } = owner.faults;
    if (slowMs) await sleep(slowMs, null, { signal });
    const call = { path: route, ...bulkCall(batch, reorder ? entries.toReversed() : entries, rules.pubsub.name) };
    const answer = await post(owner, call);
    if (duplicate && !('reason' in answer)) await post(owner, call);
    if ('reason' in answer) return { of: () => 'retry', reason: answer.reason };
    return { of: outcomesOf(answer.status, answer.body), reason: `answered ${answer.status}` };
  }

  /** Where daprd ends itself, or buries another event than the one that was dropped: nobody may come to rely on either. */
  function end(owner: Sidecar, position: Position): void {
    report('the sidecar ends: DROP in a batch of which only a part was sent again', position);
    owner.setFaults({ state: 'off' });
  }

  /** What is before the first that is not done is; of a sidecar that was killed nobody hears that. */
  function commitBefore(owner: Sidecar, position: Position, [first]: Entry[]): void {
    if (first && owner.isOn()) log.commit(position, first.record.offset);
  }

  const isOwner = (sidecar: Sidecar, { app_id, partition }: Position): boolean =>
    !signal.aborted && sidecars.ownerNow(app_id, partition) === sidecar;

  /** Ends before its time when the partition has another owner, or all is stopped. */
  async function pause(owner: Sidecar, position: Position, ms: number): Promise<void> {
    const over = sleep(ms, true, { signal }).catch(() => true);
    for (let isOver = false; !isOver && isOwner(owner, position);) {
      isOver = await Promise.race([over, sidecars.changed().then(() => false)]);
    }
  }

  return { deliverNext };
}

/** The envelopes go into the body as they stand. */
function bulkCall({ id, topic }: { id: string; topic: string }, entries: Entry[], pubsub: string) {
  const parts = entries.map(({ entryId, record }) => {
    const facts = { entryId, contentType: 'application/cloudevents+json', metadata: recordHeaders(record) };
    return `${JSON.stringify(facts).slice(0, -1)},"event":${record.envelope}}`;
  });
  const facts = { id, type: 'com.dapr.event.sent.bulk', topic, pubsubname: pubsub, metadata: { pubsubName: pubsub } };
  const { traceparent } = JSON.parse(entries.at(-1)?.record.envelope ?? '{}') as Envelope;
  return {
    body: `${JSON.stringify(facts).slice(0, -1)},"entries":[${parts.join(',')}]}`,
    headers: {
      pubsubName: pubsub,
      'content-type': 'application/json',
      ...(typeof traceparent === 'string' && { traceparent: childTraceparent(traceparent) }),
    },
  };
}

/** 404 is done. Of any 2xx the statuses count, and what has none is repeated; so is all of whatever else is answered. */
export function outcomesOf(status: number, body: string): (entryId: string) => Outcome {
  if (status === 404) return () => 'success';
  const statuses = status < 200 || status > 299 ? new Map<string, string>() : statusesOf(body);
  return (entryId) => {
    switch (statuses.get(entryId)) {
      case 'SUCCESS':
        return 'success';
      case 'DROP':
        return 'drop';
      default:
        return 'retry';
    }
  };
}

function statusesOf(body: string): Map<string, string> {
  try {
    const { statuses } = JSON.parse(body) as { statuses?: { entryId: string; status: string }[] };
    return new Map((statuses ?? []).map(({ entryId, status }) => [entryId, status]));
  } catch {
    return new Map();
  }
}
