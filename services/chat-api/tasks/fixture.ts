import { admission } from '#shared/admission';
import { createAuthenticator } from '#shared/auth';
import { createCallers } from '#shared/callers';
import { connect, type Pool } from '#shared/db';
import { edge } from '#shared/edge';
import type { TaskEvent } from '#shared/events';
import { ANSWER_MS } from '#shared/ladder';
import { createLog } from '#shared/log';
import { createLongAnswers } from '#shared/long-answer';
import type { TestDatabase } from '../../../test/support/database.ts';
import { logIn } from '../../../test/support/login.ts';
import { SECRET } from '../../../test/support/parts.ts';
import { sessionTables } from '../auth/live-sessions.ts';
import { taskRoutes } from './index.ts';

// For the tests of this folder: the routes on a database, and people who call them.

const SERVICE_TOKEN = 'service-token-of-thirty-two-characters';
const APP_TOKEN = 'the token of the sidecar';

export type Json = Record<string, unknown>;
export type Answer = { status: number; body: Json; list: Json[]; headers: Headers };
export type Person = Awaited<ReturnType<Api['person']>>;
type Api = ReturnType<typeof startApi>;

/** The task routes as chat-api's own role. The clock stands still until `clock.now` is set. */
export function startApi(
  database: TestDatabase,
  { tasksPerUser = 100_000, atOnce = 8, pool = 8, answerMs = ANSWER_MS } = {},
) {
  const sql: Pool = connect(database.url('chat-api'), { name: 'test', max: pool, publishes: true });
  const log = createLog('test', { level: 'error' });
  const clock = { now: new Date('2026-11-24T10:00:00.000Z') };
  const wakes = { count: 0 };
  const authenticator = createAuthenticator({
    lookup: sessionTables(sql),
    secrets: [SECRET],
    serviceTokens: [SERVICE_TOKEN],
    appTokens: [APP_TOKEN],
    callers: createCallers({
      ...{ REQUESTS_PER_SECOND: 100_000, REQUESTS_BURST: 100_000, REQUESTS_AT_ONCE: atOnce },
      ...{ DATABASE_POOL: pool, ADDRESS_REFUSALS: 100_000, TRUSTED_PROXIES: '' },
    }),
  });
  const longAnswers = createLongAnswers({ perUser: 4, authenticator, log });
  const app = edge({ log, admit: admission({ authenticator }), answerMs }).use(
    taskRoutes({
      sql,
      authenticator,
      log,
      longAnswers,
      tasksPerUser,
      committed: () => void (wakes.count += 1),
      now: () => clock.now,
    }),
  );

  /** A body that is text goes as it is. */
  const ask = (headers: Json, method: string, path: string, body?: unknown): Promise<Response> =>
    app.handle(
      new Request(`http://localhost/api/v1${path}`, {
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) } as Bun.HeadersInit,
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );

  async function call(...request: Parameters<typeof ask>): Promise<Answer> {
    const response = await ask(...request);
    const text = await response.text();
    const json = text === '' ? {} : JSON.parse(text);
    return { status: response.status, body: json, list: json, headers: response.headers };
  }

  return {
    sql,
    clock,
    wakes,
    longAnswers,
    /** A new user with a session. */
    async person({ timezone = null }: { timezone?: string | null } = {}) {
      const { id, headers: login } = await logIn(database.sql);
      await database.sql`update users set timezone = ${timezone} where id = ${id}`;
      return {
        id,
        call: (method: string, path: string, body?: unknown, headers: Json = {}) =>
          call({ ...login, ...headers }, method, path, body),
        /** An answer of which nothing is read yet. */
        open: (path: string, method = 'GET', body?: unknown) => ask(login, method, path, body),
      };
    },
    /** As the recurring-task-processor calls, through the sidecar. */
    asProcessor: (method: string, path: string, body?: unknown) =>
      call({ authorization: `Bearer ${SERVICE_TOKEN}`, 'dapr-api-token': APP_TOKEN }, method, path, body),
    /** The events of a task, oldest first, as the outbox has them. */
    async events(taskId: unknown): Promise<TaskEvent[]> {
      const rows = await database.sql<{ event: TaskEvent }[]>`
        select event from outbox where task_id = ${String(taskId)} order by task_version`;
      return rows.map(({ event }) => event);
    },
    stop: () => sql.end(),
  };
}
