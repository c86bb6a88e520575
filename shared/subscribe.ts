import type { TSchema } from '@sinclair/typebox';
import { type Context, Elysia } from 'elysia';
import { requireSidecar } from './app-token.ts';
import { isDelivery, refusalOf } from './body.ts';
import { isTransient, type Sql } from './db.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createDecision, type Taking } from './decide.ts';
import { type Delivery, nameOf, readDelivery, type Status } from './delivery.ts';
import { ApiError, refused } from './errors.ts';
import { type Consumer, consumers, DEAD_LETTER_ROUTE, events, REPLAY_ROUTE } from './events.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createRepeats } from './repeats.ts';

/**
 * The routes on which the sidecar delivers a consumer's events, one by one or in batches, one for each type of the
 * catalogue, and the one for its dead letters. A delivery is answered as a whole, and the sidecar repeats it without end:
 * handled, or refused for good and kept in `dead_letters`: SUCCESS · a transient error, or 8 s gone: RETRY, however often.
 * Refused for good is an event of which a field that is read is missing or mistyped, and one that `handle` has refused
 * three times by any other error.
 *
 * `handle` gets the events of a delivery in their order, each `event_id` once, and writes them together. It must be
 * idempotent by `event_id`, and sees only what is checked: `reads`, which is `anyEventSchema` or more. Types that this
 * consumer does not know are ignored, or, where it `keepsUnknown`, checked by `anyEventSchema` and handled like the others.
 */
export function subscribe<Reads extends TSchema>({
  appId,
  appTokens,
  sql,
  log,
  metrics,
  now = Date.now,
  ...taking
}: Taking<Reads> & {
  appId: Consumer;
  /** Of these the sidecar must show one as `dapr-api-token`; all empty: not asked. */
  appTokens: string[];
  sql: Sql;
  log: Log;
  metrics: Metrics;
  now?: () => number;
}) {
  const decide = createDecision({ ...taking, appId, metrics, now });
  const deadLetters = createDeadLetters({ sql, appId, log, metrics });
  const repeats = createRepeats(now);
  metrics.gauge(
    'taskflow_consumer_retrying_seconds',
    'Age of the oldest delivery that is being repeated',
    [],
    (gauge) => gauge.set(repeats.oldestMs() / 1000),
  );

  /** Answers with what becomes of a delivery. One that cannot be read is repeated, and an alert, until somebody sees to it. */
  async function answer({ request, path, body, headers, set }: Asked, work: Work): Promise<object> {
    let delivery: ReturnType<typeof readDelivery>;
    try {
      const refusal = refusalOf(request);
      if (refusal !== undefined) throw refusal;
      delivery = readDelivery(body, headers);
      repeats.forget([path]);
    } catch (error) {
      return unreadable({ path, set }, error);
    }
    return delivery.answer(await statusOf(delivery.deliveries, work));
  }

  /** By no other status than 5xx: with 404 the sidecar takes a batch for done. */
  function unreadable({ path, set }: Pick<Asked, 'path' | 'set'>, error: unknown): object {
    if (repeats.remember([path])) log.error('delivery cannot be read', { path, error });
    return refused(set, new ApiError(500, 'UNREADABLE_DELIVERY', 'This delivery cannot be read.'));
  }

  async function statusOf(deliveries: Delivery[], work: Work): Promise<Status> {
    const names = deliveries.map((delivery) => nameOf(delivery) ?? 'unknown');
    try {
      await work(deliveries);
      repeats.forget(names);
      return 'SUCCESS';
    } catch (error) {
      const facts = { event_id: names[0], events: names.length, error };
      if (repeats.remember(names)) log[isTransient(error) ? 'warn' : 'error']('delivery will be offered again', facts);
      return 'RETRY';
    }
  }

  async function settle(deliveries: Delivery[]): Promise<void> {
    await deadLetters.store(await decide(deliveries));
  }

  /** What an operator gives this consumer again: it is kept already, so that a refusal is only told. */
  async function replay(envelope: unknown): Promise<{ status: Status | 'REFUSED' }> {
    try {
      const [letter] = await decide([{ envelope, metadata: {} }]);
      if (!letter) return { status: 'SUCCESS' };
      log.error('dead letter refused again', { event_id: nameOf(letter), error: letter.reason });
      return { status: 'REFUSED' };
    } catch (error) {
      log.warn('dead letter not handled now', { error });
      return { status: 'RETRY' };
    }
  }

  // Dapr sends application/cloudevents+json, which Elysia does not parse unless told to.
  const options = { parse: 'json', detail: { hide: true } } as const;
  const app = new Elysia({ name: 'subscribe' }).onBeforeHandle(({ request, path }) => {
    if (isDelivery(path)) requireSidecar(request, appTokens);
  });
  for (const type of consumers[appId]) app.post(events[type].route, (context) => answer(context, settle), options);
  return app
    .post(DEAD_LETTER_ROUTE, (context) => answer(context, deadLetters.store), options)
    .post(REPLAY_ROUTE, ({ body }) => replay(body), options)
    .post('/events/*', (context) => unreadable(context, new Error('a later version has this route')), options);
}

type Asked = Pick<Context, 'request' | 'path' | 'body' | 'headers' | 'set'>;
/** Rejects where the delivery is to come again. */
type Work = (deliveries: Delivery[]) => Promise<void>;
