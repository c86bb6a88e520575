import type { Principal } from '#shared/auth';
import { ApiError } from '#shared/errors';

/** @throws {ApiError} 403 for API tokens: the only scope they can have here is to read */
export function requirePerson(principal: Principal): void {
  if (principal.type === 'user') return;
  throw new ApiError(403, 'INSUFFICIENT_SCOPE', 'Only a person who is logged in may change this.');
}
