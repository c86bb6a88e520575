import { PUBSUB } from '#shared/events';

/** CloudEvents as one delivery of a sidecar that subscribes in bulk: those of a partition, from this offset on. */
export function bulkOf(envelopes: unknown[], { topic = 'taskflow.tasks.created', partition = 0, offset = 0 } = {}) {
  return {
    id: crypto.randomUUID(),
    type: 'com.dapr.event.sent.bulk',
    topic,
    pubsubname: PUBSUB,
    metadata: { pubsubName: PUBSUB },
    entries: envelopes.map((event, i) => ({
      entryId: String(i),
      contentType: 'application/cloudevents+json',
      event,
      metadata: { __topic: topic, __partition: String(partition), __offset: String(offset + i) },
    })),
  };
}

/** What every entry was told, where all were told the same. @throws where they were not, or one was not told anything */
export function statusOfAll({ statuses }: { statuses: { entryId: string; status: string }[] }, count: number): string {
  const [status = ''] = new Set(statuses.map((entry) => entry.status));
  const told = statuses.map((entry) => `${entry.entryId} ${entry.status}`);
  const expected = Array.from({ length: count }, (_, i) => `${i} ${status}`);
  if (told.join() !== expected.join()) throw new Error(`answered ${told.join()}`);
  return status;
}

/** Each character of it has six bytes of JSON, as no other has; a title and a description may consist of it (CONTRACT 4). */
const LONGEST_CHARACTER = '\u0001';

/** A change of title and description, than which none is longer: each with its old and its new text. */
export function longestChange(): { changes: object; task: { title: string; description: string } } {
  const [title, description] = [`x${LONGEST_CHARACTER.repeat(254)}`, LONGEST_CHARACTER.repeat(5000)];
  const changes = { title: { old: title, new: title }, description: { old: description, new: description } };
  return { changes, task: { title, description } };
}
