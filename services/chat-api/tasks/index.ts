import { Elysia } from 'elysia';
import type { BatchAnswer } from '#shared/answers';
import { authenticated, type Authenticator, permit, type Principal } from '#shared/auth';
import { correlation } from '#shared/correlation';
import type { Pool, Sql } from '#shared/db';
import { ApiError, refusedAs } from '#shared/errors';
import type { Log } from '#shared/log';
import type { LongAnswers } from '#shared/long-answer';
import { nextLink } from '#shared/next-link';
import { actorOf, type Cause, type Change } from '../changes/change.ts';
import { createGroupCommit } from '../changes/group-commit.ts';
import { isSeries, knownForm, readTask } from '../changes/task-row.ts';
import { insertTasks } from '../changes/write.ts';
import { seriesDates } from '../series/dates.ts';
import { createInstances } from '../series/instances.ts';
import { answerOf, etagOf, give, giveUpdated, withEtag } from './answer.ts';
import { batchItems, createBatch, instanceResult } from './batch.ts';
import { createTask, type Store } from './create.ts';
import { deleteTask } from './delete.ts';
import { docs } from './docs.ts';
import type { TaskInput } from './fields.ts';
import { createHeavy } from './heavy.ts';
import { type Answer, idempotencyKey, once } from './idempotency.ts';
import { listTasks } from './list.ts';
import { previewDates } from './preview.ts';
import { createTaskQuota } from './quota.ts';
import { acknowledgeReminder, snoozeReminder } from './reminder-actions.ts';
import { isOfSeries, type Scope, updateTask } from './update.ts';

const asCreation = refusedAs('TASK_CREATION_ERROR');
const asUpdate = refusedAs('TASK_UPDATE_ERROR');

/**
 * Tasks over HTTP (CONTRACT 4, 5 and 7). A change is answered when it and its events are committed; `committed` is called
 * then, to wake the outbox relay. The sidecar is never on the way of an answer.
 */
export function taskRoutes({
  sql,
  authenticator,
  longAnswers,
  tasksPerUser,
  committed,
  log,
  now = () => new Date(),
}: {
  sql: Pool;
  authenticator: Authenticator;
  longAnswers: LongAnswers;
  tasksPerUser: number;
  committed: () => void;
  log: Log;
  now?: () => Date;
}) {
  const quota = createTaskQuota({ sql, limit: tasksPerUser, now: () => now().getTime() });
  const heavy = createHeavy();
  const insert = createGroupCommit<Change>((changes) => insertTasks(sql, changes));

  /**
   * Does a change directly, or once for its Idempotency-Key, within the transaction that records the answer. `path` comes
   * from the route, so that a last slash or an id in capitals is the same operation.
   */
  async function answering(
    { request, path, body, userId }: { request: Request; path: string; body: unknown; userId: string },
    directly: () => Promise<Answer>,
    within: (tx: Sql) => Promise<Answer>,
  ): Promise<Answer> {
    const key = idempotencyKey(request);
    const answer = key === null ? await directly() : await once(sql, { userId, path, key, body }, within);
    committed();
    return answer;
  }

  /** A creation either joins the group commit or belongs to the transaction of its key. */
  const creating = (facts: Parameters<typeof answering>[0], create: (tx: Sql, store: Store) => Promise<Answer>) =>
    answering(
      facts,
      () => create(sql, insert),
      (tx) =>
        create(
          tx,
          createGroupCommit((changes) => insertTasks(tx, changes)),
        ),
    );

  return new Elysia({ prefix: '/api/v1' })
    .use(correlation())
    .use(authenticated(authenticator))
    .derive(({ principal, correlationId, traceparent }) => ({
      cause: { actor: actorOf(principal), correlationId, traceparent, now: now() } satisfies Cause,
    }))

    .get(
      '/tasks',
      async ({ principal: { userId }, principal, query, request, server, set }) => {
        permit(principal, 'tasks:read');
        const reading = query.q === undefined ? undefined : heavy.searching({ request, userId });
        const list = await listTasks(sql, userId, query, now(), reading);
        if (list.next !== null) set.headers.link = nextLink(request, list.next);
        if ('pages' in list) return longAnswers.json({ request, server, userId }, list.pages, answerOf);
        return list.rows.map(answerOf);
      },
      {
        detail: docs.list,
      },
    )
    .get(
      '/tasks/:id',
      async ({ principal, params, set }) => {
        permit(principal, 'tasks:read');
        return withEtag(set, await readTask(sql, params.id, principal.userId));
      },
      { detail: docs.read },
    )
    .post(
      '/tasks',
      async ({ principal, body, request, route, cause, set }) => {
        permit(principal, 'tasks:write');
        const { userId } = principal;
        const takeRoom = await quota.roomOf(userId);
        const answer = await creating({ request, path: route, body, userId }, async (tx, store) => {
          const input = inputOf(body, 'TASK_CREATION_ERROR');
          const row = await createTask(tx, store, {
            userId,
            takeRoom,
            computing: heavy.seekingWithin({ request, userId }),
            input,
            cause,
          });
          return { status: 201, headers: { etag: etagOf(row) }, body: answerOf(row) };
        });
        return give(set, answer);
      },
      {
        transform: asCreation,
        detail: docs.create,
      },
    )
    .post(
      '/tasks/batch',
      async ({ principal, body, request, server, route, cause, set }) => {
        const items = () => batchItems(body);
        if (principal.type === 'service') {
          const outcomes = await createInstances(sql, items(), cause);
          committed();
          return { results: outcomes.map(instanceResult) };
        }
        permit(principal, 'tasks:write');
        const { userId } = principal;
        longAnswers.requireRoom(userId);
        const takeRoom = await quota.roomOf(userId);
        const facts = {
          userId,
          takeRoom,
          computing: heavy.seekingWithin({ request, userId }),
          items: items(),
          cause,
          log,
        };
        const create = () =>
          creating({ request, path: route, body, userId }, async (tx, store) => {
            const results = await createBatch(tx, store, facts);
            return { status: 200, headers: {}, body: { results } satisfies BatchAnswer };
          });
        const results = give(set, await heavy.batching({ request, userId })(create));
        return longAnswers.owed({ request, server, userId }, results);
      },
      {
        transform: asCreation,
        detail: docs.batch,
      },
    )
    .put(
      '/tasks/:id',
      async ({ principal, params, query, body, request, cause, set }) =>
        giveUpdated(set, await update({ principal, params, query, body, request, cause })),
      {
        transform: asUpdate,
        detail: docs.update,
      },
    )
    .patch(
      '/tasks/:id',
      async ({ principal, params, query, body, request, cause, set }) =>
        giveUpdated(set, await update({ principal, params, query, body, request, cause })),
      {
        transform: asUpdate,
        detail: docs.update,
      },
    )
    .delete(
      '/tasks/:id',
      async ({ principal, params, request, cause, set }) => {
        permit(principal, 'tasks:write');
        const task = await readTask(sql, params.id, principal.userId);
        const inPlace = heavy.changing({ request, userId: principal.userId }, isSeries(task));
        await inPlace(() => deleteTask(sql, { task, ifMatch: ifMatchOf(request), cause }));
        committed();
        set.status = 204;
      },
      {
        transform: asUpdate,
        detail: docs.delete,
      },
    )
    .post(
      '/tasks/:id/acknowledge',
      async ({ principal, params, request, cause, set }) => {
        permit(principal, 'tasks:write');
        const facts = { id: params.id, userId: principal.userId, ifMatch: ifMatchOf(request), cause };
        const row = await sql.begin((tx) => acknowledgeReminder(tx, facts));
        committed();
        return withEtag(set, row);
      },
      {
        transform: asUpdate,
        detail: docs.acknowledge,
      },
    )
    .post(
      '/tasks/:id/snooze',
      async ({ principal, params, body, request, route, cause, set }) => {
        permit(principal, 'tasks:write');
        const { userId } = principal;
        const pause = inputOf(body, 'TASK_UPDATE_ERROR').for;
        const id = knownForm(params.id);
        const facts = { id, userId, ifMatch: ifMatchOf(request), cause, pause };
        const snooze = async (tx: Sql): Promise<Answer> => {
          const row = await snoozeReminder(tx, facts);
          return { status: 200, headers: { etag: etagOf(row) }, body: answerOf(row) };
        };
        const path = route.replace(':id', id);
        const answer = await answering({ request, path, body, userId }, () => sql.begin(snooze), snooze);
        return give(set, answer);
      },
      {
        transform: asUpdate,
        detail: docs.snooze,
      },
    )
    .get(
      '/tasks/:id/occurrences',
      ({ principal, params, query, request }) => {
        permit(principal, 'tasks:read');
        const { userId } = principal;
        return seriesDates(sql, { id: params.id, userId, span: query, now: now() }, heavy.seeking({ request, userId }));
      },
      { detail: docs.occurrences },
    )
    .post(
      '/recurrence/preview',
      ({ principal, body, request }) => {
        permit(principal, 'tasks:read');
        const { userId } = principal;
        const input = inputOf(body, 'TASK_CREATION_ERROR');
        return previewDates(sql, { userId, input, now: now() }, heavy.seeking({ request, userId }));
      },
      { detail: docs.preview },
    );

  async function update({
    principal,
    params,
    query,
    body,
    request,
    cause,
  }: {
    principal: Principal;
    params: { id: string };
    query: Record<string, string | undefined>;
    body: unknown;
    request: Request;
    cause: Cause;
  }) {
    permit(principal, 'tasks:write');
    const { userId } = principal;
    const input = inputOf(body, 'TASK_UPDATE_ERROR');
    const scope = scopeOf(query.scope);
    const task = await readTask(sql, params.id, userId);
    const change = { task, input, ifMatch: ifMatchOf(request), scope, cause };
    const updated = await heavy.changing({ request, userId }, isOfSeries(change))(() => updateTask(sql, change));
    committed();
    return updated;
  }
}

/** An object, whatever its fields. */
function inputOf(body: unknown, code: string): TaskInput {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as TaskInput;
  throw new ApiError(400, code, 'body: expected a JSON object');
}

const ifMatchOf = (request: Request): string | null => request.headers.get('if-match');

function scopeOf(text: string | undefined): Scope | null {
  if (text === undefined || text === 'this' || text === 'series') return text ?? null;
  throw new ApiError(400, 'TASK_UPDATE_ERROR', 'scope: expected this or series');
}
