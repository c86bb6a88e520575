import type { TaskAnswer } from '#shared/answers';
import { toTask } from '../changes/change.ts';
import { type Answered, answered, ofPhase4 } from '../changes/columns.ts';
import type { TaskRow } from '../changes/task-row.ts';
import type { Answer } from './idempotency.ts';
import type { updateTask } from './update.ts';

const plainFields: Answered[] = ofPhase4;
const moreFields = answered.filter((field) => !plainFields.includes(field) && field !== 'version');

/**
 * A task as the API answers it: the seven fields of Phase IV, and those of Phase V that are not null; `version` only
 * beside one of these, so that a plain task looks exactly as it did (CONTRACT 4).
 */
export function answerOf(row: TaskRow): TaskAnswer {
  const task = toTask(row);
  const answer: Record<string, unknown> = {};
  for (const field of plainFields) answer[field] = task[field];
  const isPlain = moreFields.every((field) => task[field] === null);
  if (!isPlain) {
    for (const field of moreFields) if (task[field] !== null) answer[field] = task[field];
    answer.version = task.version;
  }
  return answer as TaskAnswer;
}

/** A strong validator (RFC 9110, 8.8.3); a row that Phase IV wrote has version 0. */
export const etagOf = ({ version }: TaskRow): string => `"${version ?? 0}"`;

type ResponseSettings = { status?: number | string; headers: Record<string, string | number> };

/** Puts an answer that was made, or remembered, into the one under way. @returns its body */
export function give(set: ResponseSettings, { status, headers, body }: Answer): unknown {
  set.status = status;
  Object.assign(set.headers, headers);
  return body;
}

/** The task, with its ETag in the header. */
export function withEtag(set: ResponseSettings, row: TaskRow): TaskAnswer {
  set.headers.etag = etagOf(row);
  return answerOf(row);
}

/** The task; of a series edit also which tasks it changed, and how. */
export function giveUpdated(
  set: ResponseSettings,
  { row, changes, isSeriesEdit }: Awaited<ReturnType<typeof updateTask>>,
): Record<string, unknown> {
  const answer = withEtag(set, row);
  if (!isSeriesEdit) return answer;
  return { ...answer, changed: changes.map(({ row: { id }, event }) => ({ id, event_type: event.event_type })) };
}
