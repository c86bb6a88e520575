import { setImmediate } from 'node:timers/promises';
import { isTransient, type Sql } from '#shared/db';
import { ApiError } from '#shared/errors';
import type { Log } from '#shared/log';
import { answerOf } from './answer.ts';
import { createTask, type Store } from './create.ts';
import type { Cause } from '../changes/change.ts';
import type { TakeRoom } from './quota.ts';
import type { TaskRow } from '../changes/task-row.ts';

/** What became of one item of a batch: its task, or why it was refused. */
export type ItemResult =
  { status: number; task?: Record<string, unknown> } | { status: number; error: string; code: string; message: string };

export const MAX_ITEMS = 100;
/** Then other requests have their turn: a rule with rare dates takes 5 ms an item, 100 of them half a second. */
const ITEMS_A_TURN = 5;

/** The items of `{tasks: […]}`. @throws {ApiError} 400 unless they are 1 to 100 */
export function batchItems(body: unknown): unknown[] {
  const tasks = (body as { tasks?: unknown } | null)?.tasks;
  if (!Array.isArray(tasks) || tasks.length === 0 || tasks.length > MAX_ITEMS)
    throw new ApiError(400, 'TASK_CREATION_ERROR', `tasks: expected a list of 1 to ${MAX_ITEMS}`);
  return tasks;
}

/** What `map` makes of each item, in order; the event loop is given back in between. */
export async function inTurns<T, R>(items: T[], map: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) {
    results.push(map(item));
    if (results.length % ITEMS_A_TURN === 0) await setImmediate();
  }
  return results;
}

/**
 * Creates tasks, one result for each item in order; one bad item does not fail the others.
 * @throws what is transient when no item was stored, so that the whole may be sent again
 */
export async function createBatch(
  sql: Sql,
  store: Store,
  {
    userId,
    takeRoom,
    items,
    cause,
    log,
  }: { userId: string; takeRoom: TakeRoom; items: unknown[]; cause: Cause; log: Log },
): Promise<ItemResult[]> {
  const creations = await inTurns(items, (item) => {
    const creation: Promise<TaskRow> = createTask(sql, store, { userId, takeRoom, input: inputOf(item), cause });
    creation.catch(() => {}); // is looked at below, when all are there
    return creation;
  });
  const outcomes = await Promise.allSettled(creations);
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
  if (failures.length === items.length && isTransient(failures[0]?.reason)) throw failures[0]?.reason;
  return outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? { status: 201, task: answerOf(outcome.value) } : failure(outcome.reason),
  );

  function failure(error: unknown): ItemResult {
    if (error instanceof ApiError)
      return { status: error.status, error: error.error, code: error.code, message: error.message };
    if (isTransient(error)) return refusedItem(503, 'DATABASE_UNAVAILABLE', 'Not stored; please send this item again.');
    log.error('item of a batch failed', { correlation_id: cause.correlationId, error });
    return refusedItem(500, 'INTERNAL_ERROR', 'Something went wrong on our side with this item.');
  }
}

/** What is no object has no title, and is refused for that. */
const inputOf = (item: unknown) => (typeof item === 'object' && item !== null ? { ...item } : {});

export function refusedItem(status: number, code: string, message: string): ItemResult {
  const { error } = new ApiError(status, code, message);
  return { status, error, code, message };
}
