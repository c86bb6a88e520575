import { type Static, type TSchema, Type as t } from '@sinclair/typebox';
import { Elysia } from 'elysia';
import { requireSidecar } from './auth.ts';
import { isDelivery } from './body.ts';
import { isTransient, type Sql, within } from './db.ts';
import { createDeadLetters } from './dead-letters.ts';
import {
  type AnyEvent,
  anyEventSchema,
  type Consumer,
  consumers,
  DEAD_LETTER_ROUTE,
  events,
  eventTypes,
  type EventType,
} from './events.ts';
import { HANDLER_MS } from './ladder.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { readInstant } from './time.ts';
import { createCheck, typeOf } from './validity.ts';

type Status = 'SUCCESS' | 'RETRY' | 'DROP';

/** Refusals of one event that are tried again; the next one drops it into the dead letter topic (CONTRACT 10). */
const REFUSALS_RETRIED = 3;
/** The sidecar offers an event again after 2 s: not seen for so long, another replica has it or it is done. */
const FORGOTTEN_AFTER_MS = 60_000;
const REMEMBERED = 10_000;
/** From a quiet machine to a day of outage. Not from the envelope's `time`: Dapr gives that in whole seconds. */
const DELAY_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86_400];

/**
 * The routes on which the sidecar delivers a consumer's events, one for each type of the catalogue, and the one for
 * its dead letters. Each delivery is answered with an explicit status:
 * a field that is read is missing or mistyped: DROP · handled: SUCCESS · a transient error, or 8 s gone: RETRY, however often ·
 * any other error: RETRY three times, then DROP. The sidecar repeats without end, so only a DROP makes a dead letter.
 *
 * `handle` must be idempotent by `event_id`, and sees only what is checked: `reads`, which is `anyEventSchema` or more.
 * Types this consumer does not know go to `handleUnknown`, or are ignored.
 */
export function subscribe<Reads extends TSchema>({
  appId,
  appTokens,
  sql,
  reads,
  handle,
  handleUnknown,
  log,
  metrics,
  now = Date.now,
}: {
  appId: Consumer;
  /** Of these the sidecar must show one as `dapr-api-token`; all empty: not asked. */
  appTokens: string[];
  sql: Sql;
  /** What is checked of each event of the types subscribed to. */
  reads: Reads;
  handle: (event: Static<Reads>, traceparent: string | null) => Promise<void>;
  handleUnknown?: (event: AnyEvent, traceparent: string | null) => Promise<void>;
  log: Log;
  metrics: Metrics;
  now?: () => number;
}) {
  const delivered = metrics.counter('taskflow_consumer_deliveries_total', 'Deliveries by what was answered', [
    'type',
    'status',
  ]);
  const ignored = metrics.counter(
    'taskflow_consumer_unknown_total',
    'Events of a type this version does not know, ignored',
    ['type'],
  );
  const seconds = metrics.histogram('taskflow_consumer_handle_seconds', 'Time to handle one delivery', ['type']);
  const delay = metrics.histogram(
    'taskflow_consumer_delay_seconds',
    'From the time of an event, that of its change or reminder, to the end of its handling',
    ['type'],
    DELAY_SECONDS,
  );
  const deadLetters = createDeadLetters({ sql, appId, log, metrics });
  const repeats = createRepeats(now);
  const checkRead = createCheck(reads);
  const own: readonly EventType[] = consumers[appId];
  metrics.gauge(
    'taskflow_consumer_retrying_seconds',
    'Age of the oldest delivery that is being repeated',
    [],
    (gauge) => gauge.set(repeats.oldestMs() / 1000),
  );

  async function deliver(body: unknown): Promise<{ status: Status }> {
    const envelope = checkEnvelope(body) === null ? (body as Static<typeof envelopeSchema>) : null;
    const isKnown = own.some((type) => type === typeOf(envelope?.data));
    const problem = envelope ? (isKnown ? checkRead : checkAny)(envelope.data) : 'not a CloudEvent with data';
    if (envelope === null || problem !== null) {
      log.error('event refused: invalid', { event_id: envelope?.id, problem });
      return answer('unknown', 'DROP');
    }
    const event = envelope.data as AnyEvent & Static<Reads>;
    const handler = isKnown ? handle : handleUnknown;
    if (!handler) {
      ignored.labels(label(event)).inc();
      return answer(label(event), 'SUCCESS');
    }
    const stopTimer = seconds.labels(label(event)).startTimer();
    try {
      await within(HANDLER_MS, handler(event, envelope.traceparent ?? null));
      repeats.forget(event.event_id);
      const since = readInstant(event.timestamp, 'timestamp').getTime();
      delay.labels(label(event)).observe(Math.max(0, now() - since) / 1000);
      return answer(label(event), 'SUCCESS');
    } catch (error) {
      return answer(label(event), decide(event, error));
    } finally {
      stopTimer();
    }
  }

  function decide(event: AnyEvent, error: unknown): Status {
    const fields = { event_id: event.event_id, event_type: event.event_type, task_id: event.task_id, error };
    if (isTransient(error)) {
      if (repeats.remember(event.event_id, 0).isFirst) log.warn('event will be offered again', fields);
      return 'RETRY';
    }
    const { refusals } = repeats.remember(event.event_id, 1);
    if (refusals <= REFUSALS_RETRIED) {
      log.warn('event refused', { ...fields, refusals });
      return 'RETRY';
    }
    repeats.forget(event.event_id);
    log.error('event refused for good', { ...fields, refusals });
    return 'DROP';
  }

  const answer = (type: string, status: Status) => {
    delivered.labels(type, status).inc();
    return { status };
  };

  const app = new Elysia({ name: 'subscribe' }).onBeforeHandle(({ request, path }) => {
    if (isDelivery(path)) requireSidecar(request, appTokens);
  });
  for (const type of own) {
    // Dapr sends application/cloudevents+json, which Elysia does not parse unless told to.
    app.post(events[type].route, ({ body }) => deliver(body), { parse: 'json', detail: { hide: true } });
  }
  return app.post(DEAD_LETTER_ROUTE, ({ body }) => deadLetters.store(body), {
    parse: 'json',
    detail: { hide: true },
  });
}

const envelopeSchema = t.Object({ id: t.String(), data: t.Unknown(), traceparent: t.Optional(t.String()) });
const checkEnvelope = createCheck(envelopeSchema);
const checkAny = createCheck(anyEventSchema);

/** A type of the catalogue, else one name for all: what arrives must not decide how many time series there are. */
const label = ({ event_type: type }: AnyEvent): string =>
  eventTypes.some((known) => known === type) ? type : 'unknown';

/** Which events are being offered again: how often each was refused, and since when. In memory and bounded. */
function createRepeats(now: () => number) {
  const repeats = new Map<string, { refusals: number; since: number; seen: number }>();
  return {
    remember(eventId: string, refusals: 0 | 1): { refusals: number; isFirst: boolean } {
      const known = repeats.get(eventId);
      const entry = { refusals: (known?.refusals ?? 0) + refusals, since: known?.since ?? now(), seen: now() };
      repeats.delete(eventId); // to the end: the map's order is the order of the last look
      repeats.set(eventId, entry);
      if (repeats.size > REMEMBERED) repeats.delete(repeats.keys().next().value ?? '');
      return { refusals: entry.refusals, isFirst: known === undefined };
    },
    forget: (eventId: string) => void repeats.delete(eventId),
    oldestMs(): number {
      let oldest = 0;
      for (const [eventId, { seen, since }] of repeats) {
        if (now() - seen > FORGOTTEN_AFTER_MS) repeats.delete(eventId);
        else oldest = Math.max(oldest, now() - since);
      }
      return oldest;
    },
  };
}
