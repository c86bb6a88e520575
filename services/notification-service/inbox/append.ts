import { isDuplicate, type Sql, within } from '#shared/db';
import type { Received } from '#shared/decide';
import type { AnyEvent } from '#shared/events';
import { STATEMENT_MS } from '#shared/ladder';
import type { Metrics } from '#shared/metrics';
import type { Row } from './model.ts';
import { isNotice } from './notice.ts';

/**
 * What one statement may make the database write, counted as JSON, once for each row. One event of 500 recipients has
 * some 10 MiB, a hundred of 50 have 15; a heavier one is written alone.
 */
const MAX_WRITTEN = 16 * 1024 * 1024;
/** Another replica wrote the same event in the same instant; the next attempt sees its row. */
const MAX_ATTEMPTS = 5;

/** An event whose rows are to be written. */
interface Entry {
  event: AnyEvent;
  payload: object;
  /** Of the payload: written once, and counted. */
  json: string;
  recipients: string[];
}

/**
 * Makes what appends a batch of events, each once, to the inboxes of their recipients, in the order given: by one statement
 * as long as that is no work of seconds. Idempotent by `event_id`; resolves after the commit.
 */
export function createAppend({
  sql,
  grown,
  metrics,
}: {
  sql: Sql;
  /** Is given the rows of a batch, each user's in order, once they are committed: from here on every reader sees them. */
  grown: (rows: Row[]) => void;
  metrics: Metrics;
}): (batch: Received[]) => Promise<void> {
  const appended = metrics.counter('taskflow_notifications_appended_total', 'Rows appended to the inbox');
  const seconds = metrics.histogram(
    'taskflow_notification_append_seconds',
    'Time of one statement that appends a batch',
  );

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

  return async (batch) => {
    for (const part of parts(batch)) {
      const rows = await appendOnce(part);
      appended.inc(rows.length);
      grown(rows);
    }
  };
}

function entryOf({ event, traceparent }: Received): Entry {
  const payload = traceparent === null ? event : { ...event, traceparent };
  return { event, payload, json: JSON.stringify(payload), recipients: [...new Set(event.recipients)] };
}

/** In order, each for one statement. */
export function parts(batch: Received[]): Entry[][] {
  const cut: Entry[][] = [];
  let room = 0;
  for (const entry of batch.map(entryOf)) {
    const written = entry.json.length * entry.recipients.length;
    if (written > room) {
      cut.push([]);
      room = MAX_WRITTEN;
    }
    cut.at(-1)?.push(entry);
    room -= written;
  }
  return cut;
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
  const events = batch.map(({ event: { event_id, event_type: type }, json }, number) => {
    const facts = JSON.stringify({ number, event_id, type });
    return `${facts.slice(0, -1)},"payload":${json}}`;
  });
  const given = batch.flatMap(({ event, recipients }, number) =>
    recipients.map((recipient) => ({ number, user_id: recipient, notify: isNotice(event, recipient) })),
  );
  const numbered = await sql<(Omit<Row, 'payload'> & { event_id: string })[]>`
    with events as materialized (
      select * from jsonb_to_recordset(${`[${events.join(',')}]`}::text::jsonb)
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
