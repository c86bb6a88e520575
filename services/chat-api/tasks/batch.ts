import type { ItemResult, TaskAnswer } from '#shared/answers';
import { isTransient, type Sql } from '#shared/db';
import { ApiError } from '#shared/errors';
import type { Log } from '#shared/log';
import type { Cause } from '../changes/change.ts';
import type { TaskRow } from '../changes/task-row.ts';
import type { Computing } from '../series/dates.ts';
import { inTurns } from '../series/in-turns.ts';
import type { Outcome } from '../series/instances.ts';
import { answerOf } from './answer.ts';
import { createTask, type Store } from './create.ts';
import type { TakeRoom } from './quota.ts';

export const MAX_ITEMS = 100;

/** The items of `{tasks: […]}`. @throws {ApiError} 400 unless they are 1 to 100 */
export function batchItems(body: unknown): unknown[] {
  const tasks = (body as { tasks?: unknown } | null)?.tasks;
  if (!Array.isArray(tasks) || tasks.length === 0 || tasks.length > MAX_ITEMS)
    throw new ApiError(400, 'TASK_CREATION_ERROR', `tasks: expected a list of 1 to ${MAX_ITEMS}`);
  return tasks;
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
    computing,
    items,
    cause,
    log,
  }: { userId: string; takeRoom: TakeRoom; computing: Computing; items: unknown[]; cause: Cause; log: Log },
): Promise<ItemResult[]> {
  const creations = await inTurns(items, (item) => {
    const creation: Promise<TaskRow> = createTask(sql, store, {
      userId,
      takeRoom,
      computing,
      input: inputOf(item),
      cause,
    });
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
    if (error instanceof ApiError) return refusal(error);
    if (isTransient(error))
      return refusal(new ApiError(503, 'DATABASE_UNAVAILABLE', 'Not stored; please send this item again.'));
    log.error('item of a batch failed', { correlation_id: cause.correlationId, error });
    return refusal(new ApiError(500, 'INTERNAL_ERROR', 'Something went wrong on our side with this item.'));
  }
}

/** What is no object has no title, and is refused for that. */
const inputOf = (item: unknown) => (typeof item === 'object' && item !== null ? { ...item } : {});

/** What the processor is told of an item: the new instance, the id of one that it need not ask for again, or no task. */
export function instanceResult(outcome: Outcome): ItemResult | { status: number; task?: Pick<TaskAnswer, 'id'> } {
  if ('refused' in outcome) return refusal(outcome.refused);
  if ('created' in outcome) return { status: 201, task: answerOf(outcome.created) };
  return { status: 200, ...('handled' in outcome && { task: { id: outcome.handled } }) };
}

const refusal = ({ status, error, code, message }: ApiError) => ({ status, error, code, message });
