import { FieldError } from '#shared/due';
import { ApiError } from '#shared/errors';
import type { TaskRow } from './row.ts';

/** Runs `read` and answers a field that it cannot understand as 400 with this code, naming the field. */
export function refusing<T>(code: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FieldError ? new ApiError(400, code, error.message, { cause: error }) : error;
  }
}

/** As `refusing`, for work that waits. */
export async function refusingAsync<T>(code: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FieldError ? new ApiError(400, code, error.message, { cause: error }) : error;
  }
}

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
