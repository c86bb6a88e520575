import { type Static, Type as t } from '@sinclair/typebox';
import { createCheck } from './validity.ts';

/** Events of one delivery at most: what our subscriptions ask for (`test/contract/policy.ts`). */
export const MAX_EVENTS = 100;
/** No record of the broker is longer: `max.message.bytes` of Kafka. */
const MAX_RECORD_BYTES = 1024 * 1024;
/** Longest delivery that we read, with a quarter more for what the sidecar puts around each event. */
export const MAX_DELIVERY_BYTES = 1.25 * MAX_EVENTS * MAX_RECORD_BYTES;

/** An event as the sidecar brought it, before anybody has looked at it. */
export interface Delivery {
  envelope: unknown;
  /** What goes along with a record; of it `__topic`, `__partition` and `__offset` say where the event stood. */
  metadata: Record<string, unknown>;
}

/**
 * What a sidecar may be told of a delivery. It is the same for each event of a batch, and never DROP, both because of
 * daprd 1.18.2, which in a batch dead-letters another event than the one that is dropped once a part of it was sent
 * again, loses it where the dead letter topic cannot be written, and lets later events pass one that is tried again alone.
 */
export type Status = 'SUCCESS' | 'RETRY';

/**
 * The events of a delivery, in order, and the answer to it, in the form that it has: one CloudEvent, or a batch of one
 * partition (Dapr, "Bulk subscribe"), in which each entry must be answered. Whoever subscribes decides which of them comes.
 * @throws {SyntaxError} for nothing, and for a batch that is none
 */
export function readDelivery(
  body: unknown,
  headers: Record<string, unknown>,
): { deliveries: Delivery[]; answer: (status: Status) => object } {
  if (body === null) throw new SyntaxError('nothing was delivered');
  if ((body as { type?: unknown }).type !== BULK) {
    return { deliveries: [{ envelope: body, metadata: headers }], answer: (status) => ({ status }) };
  }
  const problem = checkBulk(body);
  if (problem !== null) throw new SyntaxError(problem);
  const { entries } = body as Static<typeof bulkSchema>;
  return {
    deliveries: entries.map(({ event, metadata = {} }) => ({ envelope: event, metadata })),
    answer: (status) => ({ statuses: entries.map(({ entryId }) => ({ entryId, status })) }),
  };
}

/** What one delivery has that no other has: the event's own id, else its place. Null where it has neither. */
export function nameOf({ envelope, metadata }: Delivery): string | null {
  const { id } = (envelope ?? {}) as { id?: unknown };
  if (isName(id)) return id;
  const place = PLACE.map((name) => metadata[name]);
  return place.every(isName) ? place.join('/') : null;
}

export function topicOf({ envelope, metadata }: Delivery): string {
  const { topic } = (envelope ?? {}) as { topic?: unknown };
  return [topic, metadata[PLACE[0]]].find(isName) ?? 'unknown';
}

const BULK = 'com.dapr.event.sent.bulk';
const bulkSchema = t.Object({
  entries: t.Array(
    t.Object({
      entryId: t.String(),
      event: t.Unknown(),
      metadata: t.Optional(t.Record(t.String(), t.Unknown())),
    }),
  ),
});
const checkBulk = createCheck(bulkSchema);

const PLACE = ['__topic', '__partition', '__offset'] as const;
/** Longer ids and topics would not fit an index; ours have 36 and at most 48 characters. */
const NAME_LENGTH = 255;
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= NAME_LENGTH;
