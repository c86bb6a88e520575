import { toTask } from '../changes/change.ts';
import type { TaskRow } from '../changes/task-row.ts';

/**
 * A task as the API answers it: the seven fields of Phase IV, and those of Phase V that are not null; `version` only
 * beside one of these, so that a plain task looks exactly as it did (CONTRACT 4).
 */
export function answerOf(row: TaskRow): Record<string, unknown> {
  const { id, user_id, title, description, completed, created_at, updated_at, due_all_day, version, ...more } =
    toTask(row);
  const plain = { id, user_id, title, description, completed, created_at, updated_at };
  const present = Object.entries(more).filter(([, value]) => value !== null);
  return present.length === 0 ? plain : { ...plain, ...Object.fromEntries(present), version };
}

/** A strong validator (RFC 9110, 8.8.3); a row that Phase IV wrote has version 0. */
export const etagOf = ({ version }: TaskRow): string => `"${version ?? 0}"`;
