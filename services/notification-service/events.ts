import { isDuplicate, isTransient, type Sql, within } from '#shared/db';
import { MAX_RECIPIENTS, type TaskEvent } from '#shared/events';
import { STATEMENT_MS } from '#shared/ladder';
import type { Log } from '#shared/log';
import type { Metrics } from '#shared/metrics';
import type { Row } from './inbox/model.ts';
import { isNotice } from './inbox/notice.ts';
import type { Connections } from './stream/connections.ts';
import type { Hints } from './stream/hints.ts';

const MAX_BATCH = 100;
/** Another replica wrote the same event in the same instant; the next attempt sees its row. */
const MAX_ATTEMPTS = 5;

/** An event whose rows are to be written. */
interface Waiting {
  event: TaskEvent;
  payload: object;
  recipients: string[];
  done: PromiseWithResolvers<void>;
}

/**
 * Appends each event to the inbox of its recipients and wakes their streams once that is committed. What comes while a
 * statement runs is one batch of the next; no timer. Idempotent by `event_id`; resolves after the commit.
 */
export function createConsumer({
  sql,
  connections,
  hints,
  log,
  metrics,
}: {
  sql: Sql;
  connections: Connections;
  hints: Hints;
  log: Log;
  metrics: Metrics;
}) {
  const waiting = new Map<string, Waiting>();
  let isWriting = false;
  const appended = metrics.counter('taskflow_notifications_appended_total', 'Rows appended to the inbox');
  const seconds = metrics.histogram(
    'taskflow_notification_append_seconds',
    'Time of one statement that appends a batch',
  );

  function handle(event: TaskEvent, traceparent: string | null): Promise<void> {
    const known = waiting.get(event.event_id);
    if (known) return known.done.promise;
    const entry: Waiting = {
      event,
      payload: traceparent === null ? event : { ...event, traceparent },
      recipients: [...new Set(event.recipients)],
      done: Promise.withResolvers<void>(),
    };
    waiting.set(event.event_id, entry);
    if (!isWriting) void writeAll();
    return entry.done.promise;
  }

  async function writeAll(): Promise<void> {
    isWriting = true;
    while (waiting.size > 0) {
      const batch = nextBatch(waiting.values());
      for (const { event } of batch) waiting.delete(event.event_id);
      await write(batch);
    }
    isWriting = false;
  }

  /** One event that the database refuses fails the statement: then each is written alone, and only that one fails. */
  async function write(batch: Waiting[]): Promise<void> {
    try {
      const rows = await appendOnce(batch);
      for (const { done } of batch) done.resolve();
      publish(rows);
    } catch (error) {
      if (batch.length > 1 && !isTransient(error)) {
        log.warn('batch refused, its events are written one by one', { events: batch.length, error });
        for (const each of batch) await write([each]);
      } else for (const { done } of batch) done.reject(error);
    }
  }

  async function appendOnce(batch: Waiting[]): Promise<Row[]> {
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

  /** Only after the commit: from here on every reader sees the rows. */
  function publish(rows: Row[]): void {
    appended.inc(rows.length);
    for (const [userId, own] of Map.groupBy(rows, (row) => row.user_id)) {
      connections.wake(userId, own);
      hints.announce(userId, own.at(-1)?.seq ?? 0);
    }
  }

  return { handle };
}

/** As many events as one statement writes: 100, and no more rows than one event may have. */
function nextBatch(waiting: Iterable<Waiting>): Waiting[] {
  const batch: Waiting[] = [];
  let rows = 0;
  for (const entry of waiting) {
    rows += entry.recipients.length;
    if (batch.length === MAX_BATCH || (batch.length > 0 && rows > MAX_RECIPIENTS)) break;
    batch.push(entry);
  }
  return batch;
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
async function append(sql: Sql, batch: Waiting[]): Promise<Row[]> {
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
