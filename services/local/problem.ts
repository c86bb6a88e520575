import { correlationIdOf } from '#shared/correlation';

/** An error of the gateway's own, in the form that all services give theirs. */
export function problem(
  request: Request,
  status: number,
  code: string,
  error: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { error, code, message },
    { status, headers: { ...headers, 'x-correlation-id': correlationIdOf(request) } },
  );
}
