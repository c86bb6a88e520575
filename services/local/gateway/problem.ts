import { correlationIdOf } from '#shared/correlation';
import { type ApiError, toResponse } from '#shared/errors';

/** An error of the gateway's own, in the form that all services give theirs. */
export function problem(request: Request, error: ApiError): Response {
  const response = toResponse(error);
  response.headers.set('x-correlation-id', correlationIdOf(request));
  return response;
}
