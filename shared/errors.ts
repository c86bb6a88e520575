import { Elysia, type InternalRoute } from 'elysia';
import { refusalOf } from './body.ts';
import { isTransient } from './db.ts';
import type { Schema } from './expectation.ts';
import { FieldError } from './field.ts';
import { BodyError } from './intake.ts';
import type { Log } from './log.ts';
import { createPace } from './pace.ts';
import { validationMessage } from './validation.ts';

/** An expected failure, answered as `{error, code, message}` (CONTRACT 4). `message` is for people, `code` for programs. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly error: string;
  readonly headers: Record<string, string>;

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    { error, headers = {}, cause }: { error?: string; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.error = error ?? briefs[status] ?? 'Error';
    this.headers = headers;
  }
}

/**
 * Who is to come again later learns it so many times a second, and the others wait for it: a program that asks again at
 * once, on 60 connections, would be answered thousands of times, at 0.1 ms of the event loop each.
 */
const PACE = { perSecond: 100, burst: 100, mostMs: 5000 };

/** The caller left before its body was read: as nginx logs it, since nobody reads the answer. */
const BROKEN_OFF = 499;

const briefs: Record<number, string> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Payload too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  429: 'Too many requests',
  [BROKEN_OFF]: 'Client closed request',
  500: 'Internal error',
  502: 'Bad gateway',
  503: 'Service unavailable',
};

/** Runs `read` and answers a field that it cannot understand (FieldError) as 400 with this code, naming it. */
export function refusing<T>(code: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asRefusal(error, code);
  }
}

/** As `refusing`, for work that waits. */
export async function refusingAsync<T>(code: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asRefusal(error, code);
  }
}

const asRefusal = (error: unknown, code: string): unknown =>
  error instanceof FieldError ? new ApiError(400, code, error.message, { cause: error }) : error;

/**
 * As the `transform` of a route, which runs before its schema is asked: the code of a body that is malformed, or of what
 * fails the schema (CONTRACT 4). Of a route without it that is `VALIDATION_ERROR`.
 */
export const refusedAs =
  (code: string) =>
  ({ request }: { request: Request }): void =>
    void codes.set(request, code);

const codes = new WeakMap<Request, string>();
const codeOf = (request: Request): string => codes.get(request) ?? 'VALIDATION_ERROR';

/**
 * Turns every failure into the one error form. Bodies are never echoed. A transient database error is 503 with
 * Retry-After. `routes`: those of the whole app, whose schemas name what a caller got wrong.
 */
export function errorMapping({ log, routes }: { log: Log; routes: () => InternalRoute[] }) {
  const waitOf = createPace(PACE);
  return new Elysia({ name: 'errors' }).onError({ as: 'global' }, async ({ error, code, request, route, set }) => {
    // A body that was not taken fails the schema too; the reason is what the caller can use.
    const reason = code === 'VALIDATION' ? (refusalOf(request) ?? error) : error;
    const query = () => routes().find(({ path, method }) => path === route && method === request.method)?.hooks.query;
    const answer = mapped(reason, code, request, query);
    const correlationId = set.headers['x-correlation-id'];
    if (answer.status === BROKEN_OFF)
      log.debug('body broken off', { path: pathOf(request), correlation_id: correlationId, status: BROKEN_OFF });
    if (answer.status >= 500 && answer.code !== 'DATABASE_UNAVAILABLE')
      log.error('request failed', { path: pathOf(request), correlation_id: correlationId, error });
    if (answer.status === 429) await Bun.sleep(waitOf(performance.now()));
    return refused(set, answer);
  });
}

/** Puts a refusal into the answer under way. @returns its body */
export function refused(
  set: { status?: number | string; headers: Record<string, string | number> },
  { error, code, message, status, headers }: ApiError,
) {
  Object.assign(set.headers, headers);
  set.status = status;
  return { error, code, message };
}

const pathOf = ({ url }: Request): string => new URL(url).pathname;

function mapped(
  error: unknown,
  elysiaCode: string | number,
  request: Request,
  query: () => Schema | undefined,
): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof BodyError) return bodyRefusal(error, codeOf(request));
  if (elysiaCode === 'PARSE' && request.signal.aborted)
    return new ApiError(BROKEN_OFF, 'BODY_BROKEN_OFF', 'The connection ended before the body did.');
  if (isTransient(error)) return databaseUnavailable();
  if (elysiaCode === 'NOT_FOUND') return new ApiError(404, 'NOT_FOUND', 'There is nothing at this address.');
  if (elysiaCode === 'VALIDATION' && !isOurAnswer(error))
    return new ApiError(400, codeOf(request), validationMessage(error as object, request, query()));
  return new ApiError(
    500,
    'INTERNAL_ERROR',
    'Something went wrong on our side. The correlation id of this answer leads to its log line.',
  );
}

export const databaseUnavailable = () =>
  new ApiError(503, 'DATABASE_UNAVAILABLE', 'The database does not answer at the moment. Please try again.', {
    headers: { 'retry-after': '5' },
  });

export const toResponse = ({ error, code, message, status, headers }: ApiError): Response =>
  Response.json({ error, code, message }, { status, headers });

/** `invalid`: the code of a body that can be read and is not right. */
export const bodyRefusal = ({ status, message, headers }: BodyError, invalid: string): ApiError =>
  new ApiError(status, bodyCodes[status] ?? invalid, message, { headers });

const bodyCodes: Record<number, string> = {
  408: 'REQUEST_TIMEOUT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
};

/** An answer that fails its own schema is our fault, not the caller's. */
const isOurAnswer = (error: unknown): boolean => (error as { type?: string }).type === 'response';
