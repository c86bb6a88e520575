import { toTask } from '../changes/change.ts';
import { type Answered, answered, ofPhase4 } from '../changes/columns.ts';
import type { TaskRow } from '../changes/task-row.ts';

const plainFields: Answered[] = ofPhase4;
const moreFields = answered.filter((field) => !plainFields.includes(field) && field !== 'version');

/**
 * A task as the API answers it: the seven fields of Phase IV, and those of Phase V that are not null; `version` only
 * beside one of these, so that a plain task looks exactly as it did (CONTRACT 4).
 */
export function answerOf(row: TaskRow): Record<string, unknown> {
  const task = toTask(row);
  const answer: Record<string, unknown> = {};
  for (const field of plainFields) answer[field] = task[field];
  const isPlain = moreFields.every((field) => task[field] === null);
  if (isPlain) return answer;
  for (const field of moreFields) if (task[field] !== null) answer[field] = task[field];
  return { ...answer, version: task.version };
}

/** A strong validator (RFC 9110, 8.8.3); a row that Phase IV wrote has version 0. */
export const etagOf = ({ version }: TaskRow): string => `"${version ?? 0}"`;
