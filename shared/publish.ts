import { events, partitionKey, type TaskEvent } from './events.ts';
import type { Metrics } from './metrics.ts';
import { invalidity } from './validity.ts';

/** An event to be published, and the trace of the request that caused it. */
export interface Publication {
  event: TaskEvent;
  traceparent: string | null;
}

/** An event that was not accepted. `refused`: it will be refused again; otherwise try again later. */
export class PublishError extends Error {
  override name = 'PublishError';
  constructor(
    message: string,
    readonly refused: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An event as it goes to the sidecar. */
export interface Entry {
  event: TaskEvent;
  metadata: Record<string, string>;
  /** Its name in a bulk, and its place among what was given. */
  id: string;
  /** The entry of a bulk. */
  json: string;
}

/** Why a call was not accepted. `status` 0: no answer. `failed`: these of its entries alone, with the reason of each. */
export interface Refusal {
  status: number;
  text: string;
  failed?: Map<string, string>;
  cause?: unknown;
}

/** More in one call gains nothing: our subscriptions take as many. */
const MAX_ENTRIES = 100;
/** Characters of one call, each of up to three bytes: daprd reads bodies of 4 MiB. */
const MAX_CALL_LENGTH = 512 * 1024;

/**
 * Makes what publishes events, each under its own id and keyed by its task: those of one topic by one call, in bulk. Resolves
 * when all of it is decided: for each event, in the order given, null when the broker has it, or why not. It may have arrived
 * all the same, so repeat it with the same id; one that does not match the schema of its type is `refused` without a call.
 *
 * Give only one event of a task at a time: of a bulk a part can fail, and what is behind it be written.
 */
export function createPublish(
  call: (topic: string, entries: Entry[]) => Promise<Refusal | null>,
  metrics: Metrics | undefined,
) {
  const failures = metrics?.counter(
    'taskflow_publish_failures_total',
    'Events that were refused for good, or that may have failed (unknown) and are tried again',
    ['type', 'result'],
  );

  function failure(event: TaskEvent, message: string, isRefused: boolean, cause?: unknown): PublishError {
    failures?.labels(event.event_type, isRefused ? 'refused' : 'unknown').inc();
    return new PublishError(message, isRefused, { cause });
  }

  /** What is refused as a whole goes again one by one, so that nobody pays for another's event. */
  async function send(topic: string, bulk: Entry[]): Promise<[id: string, error: PublishError][]> {
    const refusal = await call(topic, bulk);
    if (refusal === null) return [];
    const { status, text, failed, cause } = refusal;
    const isRefused = status === 400 || status === 413;
    if (isRefused && bulk.length > 1) return (await Promise.all(bulk.map((entry) => send(topic, [entry])))).flat();
    return bulk
      .filter(({ id }) => failed?.has(id) ?? true)
      .map(({ id, event }) => {
        const reason = failed?.get(id) ?? text;
        return [id, failure(event, isRefused ? `refused by the sidecar: ${reason}` : reason, isRefused, cause)];
      });
  }

  return async (publications: Publication[]): Promise<(PublishError | null)[]> => {
    const results = publications.map(({ event }) => {
      const problem = invalidity(event);
      return problem === null ? null : failure(event, problem, true);
    });
    const entries = publications.flatMap((given, i) => (results[i] === null ? [entryOf(given, i)] : []));
    const errors = await Promise.all(bulksOf(entries).map(({ topic, bulk }) => send(topic, bulk)));
    for (const [id, error] of errors.flat()) results[Number(id)] = error;
    return results;
  };
}

/** Wrapped by the sidecar, since of an event that comes as CloudEvent in a bulk it replaces the trace. */
function entryOf({ event, traceparent }: Publication, place: number): Entry {
  const id = String(place);
  const metadata = {
    partitionKey: partitionKey(event),
    'cloudevent.id': event.event_id,
    'cloudevent.type': event.event_type,
    'cloudevent.source': events[event.event_type].producer,
    ...(traceparent !== null && { 'cloudevent.traceparent': traceparent }),
  };
  return {
    id,
    event,
    metadata,
    json: JSON.stringify({ entryId: id, event, contentType: 'application/json', metadata }),
  };
}

/** By topic, in order, each for one call. */
function bulksOf(entries: Entry[]): { topic: string; bulk: Entry[] }[] {
  const bulks: { topic: string; bulk: Entry[]; length: number }[] = [];
  for (const [topic, own] of Map.groupBy(entries, ({ event }) => events[event.event_type].topic)) {
    for (const entry of own) {
      const last = bulks.at(-1);
      const fits =
        last?.topic === topic && last.bulk.length < MAX_ENTRIES && last.length + entry.json.length <= MAX_CALL_LENGTH;
      if (fits) {
        last.bulk.push(entry);
        last.length += entry.json.length;
      } else bulks.push({ topic, bulk: [entry], length: entry.json.length });
    }
  }
  return bulks;
}
