import { type Static, type TSchema, Type as t } from '@sinclair/typebox';
import { DeadlineError, isTransient, within } from './db.ts';
import type { Letter } from './dead-letters.ts';
import type { Delivery } from './delivery.ts';
import { type AnyEvent, anyEventSchema, type Consumer, consumers, eventTypes, type EventType } from './events.ts';
import { HANDLER_MS } from './ladder.ts';
import type { Metrics } from './metrics.ts';
import { readInstant } from './time.ts';
import { createCheck, typeOf } from './validity.ts';

/** An event that was checked, as its consumer gets it. */
export interface Received<Event extends AnyEvent = AnyEvent> {
  event: Event;
  traceparent: string | null;
}

/** How a consumer takes events: see `subscribe`. */
export interface Taking<Reads extends TSchema> {
  /** What is checked of each event of the types subscribed to. */
  reads: Reads;
  handle: (batch: Received<AnyEvent & Static<Reads>>[]) => Promise<void>;
  /** Only of a consumer that reads no more than every event has. */
  keepsUnknown?: boolean;
}

/** How often a batch is tried before what is refused in it is refused for good (CONTRACT 10), and the pause between, ms. */
const ATTEMPTS = 3;
const PAUSE_MS = 100;
/** From a quiet machine to a day of outage. Not from the envelope's `time`: Dapr gives that in whole seconds. */
const DELAY_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86_400];

/**
 * Makes the one decision on what is delivered: valid events are handled, together and in order, and what is returned is
 * refused for good. What it throws passes by itself, and then all of it is to come again.
 */
export function createDecision<Reads extends TSchema>({
  appId,
  reads,
  handle,
  keepsUnknown = false,
  metrics,
  now,
}: Taking<Reads> & { appId: Consumer; metrics: Metrics; now: () => number }) {
  type Known = Received<AnyEvent & Static<Reads>>;
  /** `problem`: why it is no event. */
  type Judged = { delivery: Delivery; type: string; problem: string | null; isIgnored: boolean; received: Known };

  const measure = createMeasures(metrics, now);
  const checkRead = createCheck(reads);
  const own: readonly EventType[] = consumers[appId];

  function judge(delivery: Delivery): Judged {
    const { data, traceparent = null } = (delivery.envelope ?? {}) as Partial<Envelope>;
    const isKnown = own.some((type) => type === typeOf(data));
    const problem = checkEnvelope(delivery.envelope) ?? (isKnown ? checkRead : checkAny)(data);
    const received: Known = { event: data as AnyEvent & Static<Reads>, traceparent };
    const type = problem === null ? label(received.event) : 'unknown';
    return { delivery, type, problem, isIgnored: !isKnown && !keepsUnknown, received };
  }

  /**
   * Handles a batch. One that is refused is halved until what is to blame stands alone, in order: nobody pays for another's
   * error, and of a task nothing is written before what came first. @returns why each was refused, by `event_id`
   */
  async function refusalsOf(batch: Known[], until: number, attempts = ATTEMPTS): Promise<Map<string, unknown>> {
    const [first] = batch;
    for (let attempt = 1; first !== undefined; attempt++) {
      // By then it is answered, and perhaps in the hands of the next delivery.
      if (performance.now() > until) throw new DeadlineError(`not handled within ${HANDLER_MS} ms`);
      try {
        await handle(batch);
        break;
      } catch (error) {
        if (isTransient(error)) throw error;
        if (attempt < attempts) await Bun.sleep(PAUSE_MS);
        else if (batch.length === 1) return new Map([[first.event.event_id, error]]);
        else return halved(batch, until);
      }
    }
    return new Map();
  }

  async function halved(batch: Known[], until: number): Promise<Map<string, unknown>> {
    const middle = batch.length >> 1;
    const former = await refusalsOf(batch.slice(0, middle), until, 1);
    return new Map([...former, ...(await refusalsOf(batch.slice(middle), until, 1))]);
  }

  return async (deliveries: Delivery[]): Promise<Letter[]> => {
    const judged = deliveries.map(judge);
    const valid = judged.filter(({ problem, isIgnored }) => problem === null && !isIgnored);
    const batch = new Map(valid.map(({ received }) => [received.event.event_id, received]));
    const startedAt = performance.now();
    try {
      const refusals = await within(HANDLER_MS, refusalsOf([...batch.values()], startedAt + HANDLER_MS));
      const refused = judged.filter(({ problem, received: { event } }) => problem ?? refusals.has(event.event_id));
      measure.decided(judged, refused);
      return refused.map(({ delivery, problem, received: { event } }) => ({
        ...delivery,
        reason: problem ?? refusals.get(event.event_id),
      }));
    } catch (error) {
      measure.putOff(judged);
      throw error;
    } finally {
      measure.handled(batch.size, judged[0]?.type ?? 'unknown', performance.now() - startedAt);
    }
  };
}

const envelopeSchema = t.Object({ id: t.String(), data: t.Unknown(), traceparent: t.Optional(t.String()) });
type Envelope = Static<typeof envelopeSchema>;
const checkEnvelope = createCheck(envelopeSchema);
const checkAny = createCheck(anyEventSchema);

/** A type of the catalogue, else one name for all: what arrives must not decide how many time series there are. */
const label = ({ event_type: type }: AnyEvent): string =>
  eventTypes.some((known) => known === type) ? type : 'unknown';

type Measured = { type: string; isIgnored: boolean; received: Received };

function createMeasures(metrics: Metrics, now: () => number) {
  const delivered = metrics.counter('taskflow_consumer_deliveries_total', 'Events delivered, by what was decided', [
    'type',
    'status',
  ]);
  const ignored = metrics.counter(
    'taskflow_consumer_unknown_total',
    'Events of a type this version does not know, ignored',
    ['type'],
  );
  const seconds = metrics.histogram('taskflow_consumer_handle_seconds', 'Time to handle one delivery', ['type']);
  const sizes = metrics.histogram(
    'taskflow_consumer_batch_events',
    'Events of one delivery that were handled together',
    [],
    [1, 2, 5, 10, 20, 50, 100],
  );
  const delay = metrics.histogram(
    'taskflow_consumer_delay_seconds',
    'From the time of an event, that of its change or reminder, to the end of its handling',
    ['type'],
    DELAY_SECONDS,
  );

  return {
    decided(judged: Measured[], refused: Measured[]): void {
      for (const each of judged) {
        const { type, isIgnored, received } = each;
        const isRefused = refused.includes(each);
        delivered.labels(type, isRefused ? 'REFUSED' : 'SUCCESS').inc();
        if (isRefused) continue;
        if (isIgnored) ignored.labels(type).inc();
        else delay.labels(type).observe(Math.max(0, now() - timeOf(received.event)) / 1000);
      }
    },
    putOff(judged: Measured[]): void {
      for (const { type } of judged) delivered.labels(type, 'RETRY').inc();
    },
    handled(events: number, type: string, ms: number): void {
      if (events === 0) return;
      seconds.labels(type).observe(ms / 1000);
      sizes.observe(events);
    },
  };
}

const timeOf = ({ timestamp }: AnyEvent): number => readInstant(timestamp, 'timestamp').getTime();
