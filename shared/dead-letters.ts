import type { Pool, Sql } from './db.ts';
import { type Delivery, nameOf, topicOf } from './delivery.ts';
import { type Consumer, REPLAY_ROUTE } from './events.ts';
import { DELIVERY_MS } from './ladder.ts';
import type { Log } from './log.ts';
import type { Job } from './loop.ts';
import type { Metrics } from './metrics.ts';
import { asJson, CommandError, type Group, listing, type Settings, toSecond } from './ops.ts';
import { printable } from './text.ts';

const HOUR = 60 * 60_000;
/** How long what a consumer refused is kept, replayed or not (CONTRACT 6). */
const KEPT_MS = 90 * 24 * HOUR;
const LISTED = 100;

/** What was delivered and is refused for good. `reason`: an error or words, for the log; none of what the sidecar refused. */
export interface Letter extends Delivery {
  reason?: unknown;
}

/** The dead letters of one consumer, counted as they come and, in the table, as long as nobody has replayed them. */
export function createDeadLetters(deps: { sql: Sql; appId: Consumer; log: Log; metrics: Metrics }) {
  const { sql, appId, log, metrics } = deps;
  const kept = metrics.counter('taskflow_dead_letters_total', 'Events refused for good that were stored');
  metrics.counted(
    'taskflow_dead_letters_waiting',
    'Dead letters that were not replayed: see ops dlq list',
    async () => {
      const [row] = await sql<{ count: number }[]>`
      select count(*) from dead_letters where app_id = ${appId} and replayed_at is null`;
      return row?.count ?? 0;
    },
  );

  return {
    /**
     * Keeps these, each once: by its id, or by its place where it has none. One that has neither is kept each time.
     * @throws when they are not kept: they must be offered again, since nobody else keeps them
     */
    async store(letters: Letter[]): Promise<void> {
      if (letters.length === 0) return;
      const byId = new Map(letters.map((letter) => [storable(nameOf(letter) ?? Bun.randomUUIDv7()), letter]));
      const all = [...byId.values()];
      const stored = await sql<{ event_id: string }[]>`
        insert into dead_letters (app_id, event_id, topic, envelope)
        select ${appId}, event_id, topic, envelope::jsonb from unnest(
          ${[...byId.keys()]}::text[], ${all.map((letter) => storable(topicOf(letter)))}::text[],
          ${all.map(({ envelope }) => storableJson(envelope ?? null))}::text[]) as letter (event_id, topic, envelope)
        on conflict (app_id, event_id) do nothing returning event_id`;
      kept.inc(stored.length);
      for (const { event_id: id } of stored) {
        log.error('dead letter stored', {
          event_id: id,
          reason: byId.get(id)?.reason ?? 'it came from the dead letter topic',
        });
      }
    },
  };
}

/** Deletes this consumer's dead letters after 90 days: looks at the start and once an hour. */
export function createDeadLetterPurge({
  sql,
  appId,
  log,
  now = Date.now,
}: {
  sql: Sql;
  appId: Consumer;
  log: Log;
  now?: () => number;
}) {
  async function runOnce(): Promise<void> {
    const { count } = await sql`
      delete from dead_letters where app_id = ${appId} and stored_at < ${new Date(now() - KEPT_MS)}`;
    if (count > 0) log.info('dead letters purged', { rows: count });
  }

  return { name: 'purge dead letters', everyMs: HOUR, runOnce } satisfies Job;
}

/** `dlq <command>` of a consumer. What is replayed is given to the service that its settings name. */
export const deadLetterCommands = (appId: Consumer): Group => ({
  list: {
    takes: [],
    does: `the oldest ${LISTED} dead letters, those not replayed first`,
    run: async ({ sql }) => listing(await listDeadLetters(sql, appId), columns, 'There are no dead letters.'),
  },
  show: {
    takes: ['event_id'],
    does: 'print a dead letter as it was delivered',
    async run({ sql }, [id = '']) {
      const { envelope } = await known(sql, appId, id);
      return asJson(envelope);
    },
  },
  replay: {
    takes: ['event_id'],
    flags: { all: '' },
    does: 'give one, or all that were not replayed yet, to this service again; nothing is published',
    async run({ sql, config }, [given = ''], { all }) {
      const ids = all === true ? await waitingIds(sql, appId) : [given];
      const refusals: string[] = [];
      for (const id of ids) {
        const { envelope } = await known(sql, appId, id);
        const answer = await deliver(envelope, config);
        if (answer === 'SUCCESS') await markReplayed(sql, appId, id);
        else refusals.push(`${printable(id)} was answered ${answer}; the log of ${appId} says why.`);
      }
      const result = `${ids.length - refusals.length} of ${ids.length} replayed.`;
      if (refusals.length > 0) throw new CommandError([result, ...refusals].join('\n'));
      return { data: { replayed: ids }, text: result };
    },
  },
});

interface DeadLetter {
  event_id: string;
  topic: string;
  stored_at: Date;
  replayed_at: Date | null;
}

function listDeadLetters(sql: Sql, appId: string): Promise<DeadLetter[]> {
  return sql<DeadLetter[]>`
    select event_id, topic, stored_at, replayed_at from dead_letters
    where app_id = ${appId} order by replayed_at is not null, stored_at limit ${LISTED}`;
}

async function waitingIds(sql: Sql, appId: string): Promise<string[]> {
  const rows = await sql<{ event_id: string }[]>`
    select event_id from dead_letters where app_id = ${appId} and replayed_at is null order by stored_at`;
  return rows.map(({ event_id }) => event_id);
}

async function known(sql: Pool, appId: string, id: string): Promise<{ envelope: unknown }> {
  const [row] = await sql<{ envelope: unknown }[]>`
    select envelope from dead_letters where app_id = ${appId} and event_id = ${id}`;
  if (!row) throw new CommandError(`${appId} has no dead letter ${id}.`);
  return row;
}

async function markReplayed(sql: Sql, appId: string, id: string): Promise<void> {
  await sql`update dead_letters set replayed_at = now() where app_id = ${appId} and event_id = ${id}`;
}

/** As the sidecar delivers. @returns the status answered: `SUCCESS`, `RETRY`, `REFUSED`, or that of HTTP */
async function deliver(envelope: unknown, { HOST, PORT, APP_API_TOKEN }: Settings): Promise<string> {
  const origin = `http://${loopback(HOST)}:${PORT}`;
  try {
    const response = await fetch(`${origin}${REPLAY_ROUTE}`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json', 'dapr-api-token': APP_API_TOKEN },
      body: JSON.stringify(envelope),
      signal: AbortSignal.timeout(DELIVERY_MS),
      proxy: false, // also where HOST is an address that NO_PROXY does not name
    });
    return response.ok ? ((await response.json()) as { status: string }).status : `HTTP ${response.status}`;
  } catch (cause) {
    throw new CommandError(`The service does not answer at ${origin}; what was not replayed stays.`, { cause });
  }
}

const loopback = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
};

const columns = {
  event: ({ event_id }: DeadLetter) => event_id,
  topic: ({ topic }: DeadLetter) => topic,
  stored: ({ stored_at }: DeadLetter) => toSecond(stored_at),
  replayed: ({ replayed_at }: DeadLetter) => (replayed_at ? toSecond(replayed_at) : 'waits'),
};

/**
 * U+0000 and halves of surrogate pairs become U+FFFD. Postgres stores neither, so such an event is refused by handlers
 * for good, and would then be offered here without end.
 */
function storableJson(body: unknown): string {
  // JSON.stringify writes both as escapes and nothing else so; an even number of backslashes before one is text.
  return JSON.stringify(body).replace(/(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f]..)/g, '$1\\ufffd');
}

const storable = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();
