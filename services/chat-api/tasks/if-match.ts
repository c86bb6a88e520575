import { ApiError } from '#shared/errors';
import type { TaskRow } from '../changes/task-row.ts';

/** @throws {ApiError} 412 unless the `If-Match` header (RFC 9110, 13.1.1) is absent, `*` or names this version */
export function requireMatch(row: TaskRow, ifMatch: string | null): void {
  if (ifMatch === null || ifMatch.trim() === '*') return;
  const versions = ifMatch.split(',').map((tag) => tag.trim().replace(/^"(.*)"$/, '$1'));
  if (versions.includes(String(row.version ?? 0))) return;
  throw new ApiError(
    412,
    'VERSION_CONFLICT',
    'The task has changed since you read it. Read it again and repeat your change.',
  );
}
