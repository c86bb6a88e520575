import postgres from 'postgres';

/** A pool, or a transaction where one is open. */
export type Sql = postgres.ISql<DatabaseTypes>;
/** A pool: can begin transactions and be ended. */
export type Pool = postgres.Sql<DatabaseTypes>;

interface DatabaseTypes extends Record<string, unknown> {
  bigint: number;
}

/** Seconds before a next attempt to connect. postgres.js' own grow to 20, and so late it saw that the database was back. */
export const backoff = (attempt: number): number => Math.min(0.01 * 3 ** attempt, 1) * (0.5 + Math.random() / 2);

/** After which Postgres itself ends a statement. */
const STATEMENT_SECONDS = 15;

/**
 * A pool of prepared connections. `date` comes back as `YYYY-MM-DD`, `bigint` as number (our sequences stay far below
 * 2^53), `interval` as ISO 8601 text, `timestamptz` as Date. Connects at the first query, not before.
 *
 * `publishes` announces to the trigger on `tasks` that this connection writes events for its changes itself.
 * `syncCommit: false` only where a lost commit merely repeats an event id (the relay's marks).
 * `byIndex` for a queue: its plans go by the indexes, whatever statistics say, and are made once. They are stale just when
 * a backlog has come, and the cached plan of an empty queue took over 15 s for 10,000 rows (measured).
 * `socketTimeout`: seconds without a byte after which a connection that owes an answer is given up. The server answers within
 * its `statement_timeout`, so this is a machine or network that is gone without a word, which TCP notices after 15 minutes. A
 * longer `statement_timeout` in the URL needs a longer one here.
 *
 * `postgres@3.4.9.patch` beside this file makes a lost connection safe. `services/DECISIONS.md` says of each of its changes
 * what was measured without it and what would let us drop it; `shared/db.test.ts` says when a newer postgres.js can do without.
 */
export function connect(
  url: string,
  {
    name,
    max = 16,
    publishes = false,
    syncCommit = true,
    byIndex = false,
    socketTimeout = STATEMENT_SECONDS + 5,
  }: {
    name: string;
    max?: number;
    publishes?: boolean;
    syncCommit?: boolean;
    byIndex?: boolean;
    socketTimeout?: number;
  },
): Pool {
  return postgres(url, {
    max,
    connect_timeout: 5,
    backoff,
    idle_timeout: 0,
    ...{ socket_timeout: socketTimeout }, // of the patch: no type knows it
    onnotice: () => {},
    connection: {
      application_name: name,
      TimeZone: 'UTC',
      IntervalStyle: 'iso_8601',
      statement_timeout: STATEMENT_SECONDS * 1000,
      idle_in_transaction_session_timeout: 30_000,
      ...(publishes && { 'taskflow.publishes': 'on' }),
      ...(!syncCommit && { synchronous_commit: 'off' }),
      ...(byIndex && {
        enable_seqscan: 'off',
        enable_bitmapscan: 'off',
        enable_sort: 'off',
        plan_cache_mode: 'force_generic_plan',
      }),
    },
    types: {
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
      date: { to: 1082, from: [1082], parse: (text: string) => text, serialize: (text: string) => text },
    },
  }) as unknown as Pool;
}

/**
 * True for what passes by itself: the database is unreachable, lets nobody in, is starting, stopping, read-only after a
 * switch to another server, or too slow, or a transaction met another (serialization failure, deadlock). PostgreSQL,
 * appendix A (error codes), and postgres.js' own codes.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (TRANSIENT_CODES.has(code) || /^(08|28|53|57P)/.test(code)) return true;
  return error.cause !== undefined && isTransient(error.cause);
}

const TRANSIENT_CODES = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '57014', // query_canceled: statement_timeout
  '25P03', // idle_in_transaction_session_timeout
  '25006', // read_only_sql_transaction
  '3D000', // invalid_catalog_name: the database is being restored
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'DEADLINE_EXCEEDED',
]);

/** Postgres' unique_violation: what was to be inserted is there already. */
export const isDuplicate = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23505';

/** What was to be stored is refused by Postgres, and would be for ever: data exception or violated constraint (appendix A). */
export const isDataError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^2[23][0-9A-Z]{3}$/.test(String(error.code));

/** The work took longer than the caller can wait; transient, the work itself may still have happened. */
export class DeadlineError extends Error {
  override name = 'DeadlineError';
  readonly code = 'DEADLINE_EXCEEDED';
}

/** Waits at most `ms` for `work`. @throws {DeadlineError} when that is over; the work is not stopped. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DeadlineError(`no answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
