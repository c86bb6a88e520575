import { createBatch } from '#shared/batch';
import { isDuplicate, type Sql, within } from '#shared/db';
import { type AnyEvent, MAX_RECIPIENTS } from '#shared/events';
import { STATEMENT_MS } from '#shared/ladder';
import type { Log } from '#shared/log';
import type { Metrics } from '#shared/metrics';
import type { Row } from './model.ts';
import { isNotice } from './notice.ts';

const MAX_BATCH = 100;
/** Another replica wrote the same event in the same instant; the next attempt sees its row. */
const MAX_ATTEMPTS = 5;

/** An event whose rows are to be written. */
interface Entry {
  event: AnyEvent;
  payload: object;
  recipients: string[];
}

/**
 * Makes what appends an event to the inbox of each of its recipients, together with those of the same moment. Idempotent by
 * `event_id`; resolves after the commit.
 */
export function createAppend({
  sql,
  grown,
  log,
  metrics,
}: {
  sql: Sql;
  /** Is given the rows of a batch, each user's in order, once they are committed: from here on every reader sees them. */
  grown: (rows: Row[]) => void;
  log: Log;
  metrics: Metrics;
}): (event: AnyEvent, traceparent: string | null) => Promise<void> {
  const appended = metrics.counter('taskflow_notifications_appended_total', 'Rows appended to the inbox');
  const seconds = metrics.histogram(
    'taskflow_notification_append_seconds',
    'Time of one statement that appends a batch',
  );

  const write = createBatch<Entry>({
    async write(batch) {
      const rows = await appendOnce(batch);
      appended.inc(rows.length);
      grown(rows);
    },
    most: MAX_BATCH,
    // No more rows than one event may have.
    weight: { of: ({ recipients }) => recipients.length, most: MAX_RECIPIENTS },
    key: ({ event }) => event.event_id,
    refused: (error, events) => log.warn('batch refused, its events are written one by one', { events, error }),
  });

  async function appendOnce(batch: Entry[]): Promise<Row[]> {
    for (let attempt = 1; ; attempt++) {
      const stop = seconds.startTimer();
      try {
        return await within(STATEMENT_MS, append(sql, batch));
      } catch (error) {
        if (!isSameEvent(error) || attempt === MAX_ATTEMPTS) throw error;
      } finally {
        stop();
      }
    }
  }

  return (event, traceparent) =>
    write({
      event,
      payload: traceparent === null ? event : { ...event, traceparent },
      recipients: [...new Set(event.recipients)],
    });
}

const isSameEvent = (error: unknown): boolean =>
  isDuplicate(error) &&
  (error as { constraint_name?: string }).constraint_name === 'notifications_user_id_event_id_key';

/**
 * One statement for a batch, in which each event stands once, however many get it. Events already there are left out and
 * use no number; the counters are locked in the order of users, so that two replicas never wait for each other; and since
 * they stay locked until the commit, rows become visible in the order of their numbers. @returns the new rows, each user's
 * in order
 */
async function append(sql: Sql, batch: Entry[]): Promise<Row[]> {
  const events = batch.map(({ event: { event_id, event_type: type }, payload }, number) => ({
    number,
    event_id,
    type,
    payload,
  }));
  const given = batch.flatMap(({ event, recipients }, number) =>
    recipients.map((recipient) => ({ number, user_id: recipient, notify: isNotice(event, recipient) })),
  );
  const numbered = await sql<(Omit<Row, 'payload'> & { event_id: string })[]>`
    with events as materialized (
      select * from jsonb_to_recordset(${sql.json(events as never)})
        as event (number int, event_id uuid, type text, payload jsonb)
    ), given as (
      select user_id, notify, number, event_id from jsonb_to_recordset(${sql.json(given)})
        as given (number int, user_id uuid, notify boolean) join events using (number)
    ), fresh as materialized (
      -- "(select …) is null" cannot become a join: the plan of an empty inbox stays cached, and would read a full one wholly
      select * from given where (
        select event_id from notifications n where n.user_id = given.user_id and n.event_id = given.event_id) is null
    ), counters as (
      insert into notification_counters as c (user_id, last_seq)
      select user_id, count(*) from fresh group by user_id order by user_id
      on conflict (user_id) do update set last_seq = c.last_seq + excluded.last_seq
      returning c.user_id, c.last_seq
    )
    insert into notifications (user_id, seq, event_id, type, notify, payload, created_at, read_at)
    select user_id,
      last_seq - count(*) over (partition by user_id)
        + row_number() over (partition by user_id order by number),
      event_id, type, notify, payload, now(), case when not notify then now() end
    from fresh join counters using (user_id) join events using (number, event_id)
    returning user_id, seq, event_id, type, notify, created_at, read_at`;
  const payloads = new Map(batch.map(({ event, payload }) => [event.event_id, payload]));
  return numbered
    .map(({ event_id: eventId, ...row }) => ({ ...row, payload: payloads.get(eventId) ?? {} }))
    .sort((a, b) => a.seq - b.seq);
}
