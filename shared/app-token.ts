import { timingSafeEqual } from 'node:crypto';
import { ApiError } from './errors.ts';

// What a machine shows of itself: a token that both sides have from their settings.

/** Whether the sidecar, which alone knows these tokens, makes a request. False when there are none. */
export const showsAppToken = (request: Request, appTokens: string[]): boolean =>
  isOneOf(appTokens, request.headers.get('dapr-api-token') ?? '');

/** @throws {ApiError} 401 unless the sidecar makes this request; where there are no tokens it is not asked */
export function requireSidecar(request: Request, appTokens: string[]): void {
  if (appTokens.every((token) => token === '') || showsAppToken(request, appTokens)) return;
  throw new ApiError(401, 'INVALID_APP_TOKEN', 'Only the sidecar delivers events here.');
}

/** Whether a caller shows one of these tokens; how long the look takes tells nothing of them. An empty setting is none. */
export const isOneOf = (tokens: string[], shown: string): boolean =>
  tokens.some((token) => token !== '' && isEqual(token, shown));

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
