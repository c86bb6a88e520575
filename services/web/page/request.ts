import { inWords } from './fields.ts';
import { refreshInTurn } from './live/refresh.ts';

// How the page asks the API and reads its answers; what there is to ask stands in api.ts.

/** An answer that refuses; `status` 0 and code `OFFLINE` where none came. */
export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** In ms, as `Retry-After` said; null: it did not. */
    readonly retryAfterMs: number | null = null,
    readonly correlationId: string | null = null,
    /** What of the body was refused, as the API calls it; null: none of it that a form shows. */
    readonly field: string | null = null,
  ) {
    super(message);
  }

  /** Whether the same request may well succeed later, with nobody having to change it. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Longer than the server takes to refuse. In a network that was left a connection may never answer, nor end. */
const ANSWER_MS = 20_000;

type Sent = { body?: unknown; key?: string; ifMatch?: string; keepalive?: boolean };
type Answer<T> = { body: T; headers: Headers };

let whenSignedOut = () => {};

/** Says what happens when the session has ended and cannot be refreshed. */
export function onSignedOut(handler: () => void): void {
  whenSignedOut = handler;
}

const underWay = new Set<Promise<unknown>>();

/** Resolves when no request waits for its answer any more, nor the next page of a list, or after so many ms. */
export async function untilIdle(within: number): Promise<void> {
  const late = AbortSignal.timeout(within);
  const isLate = new Promise((resolve) => late.addEventListener('abort', resolve));
  while (underWay.size > 0 && !late.aborted) await Promise.race([Promise.allSettled(underWay), isLate]);
}

/**
 * One request to the API. An access token that has run out is refreshed once, for all tabs, and the request sent again.
 * @throws {ApiError}
 */
export function call<T>(method: string, path: string, sent: Sent = {}): Promise<Answer<T>> {
  const answer = ask<T>(method, path, sent).finally(() => underWay.delete(answer));
  underWay.add(answer);
  return answer;
}

async function ask<T>(method: string, path: string, sent: Sent): Promise<Answer<T>> {
  const first = await send(method, path, sent);
  if (first.status !== 401 || !mayRefresh(path)) return read<T>(first);
  if (!(await refresh())) {
    whenSignedOut();
    return read<T>(first);
  }
  return read<T>(await send(method, path, sent));
}

/** Who is at the door has no session that could be refreshed; a wrong current password is no sign of an old one. */
const mayRefresh = (path: string): boolean => !/^\/auth\/(login|signup|password)/.test(path);

async function send(method: string, path: string, { body, key, ifMatch, keepalive }: Sent): Promise<Response> {
  const headers: Record<string, string> = {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(key && { 'idempotency-key': key }),
    ...(ifMatch && { 'if-match': ifMatch }),
  };
  const json = body === undefined ? null : JSON.stringify(body);
  const signal = AbortSignal.timeout(ANSWER_MS);
  const size = KEPT_LEAST + 3 * (json?.length ?? 0);
  const isKept = keepalive || (method !== 'GET' && keptBytes + size <= KEPT_BYTES);
  if (isKept) keptBytes += size;
  return fetch(`/api/v1${path}`, { method, headers, body: json, signal, keepalive: isKept })
    .catch(unreachable)
    .finally(() => isKept && (keptBytes -= size));
}

/**
 * A change outlives the page that has sent it. Chromium refuses what has more than 64 KiB of bodies under way so, and too many
 * at once; those beyond are sent as others are.
 */
const KEPT_BYTES = 60_000;
const KEPT_LEAST = 2_000;
let keptBytes = 0;

function unreachable(cause: unknown): never {
  throw Object.assign(new ApiError(0, 'OFFLINE', 'TaskFlow cannot be reached.'), { cause });
}

/** What the answer says. @throws {ApiError} when it refuses */
export async function read<T>(response: Response): Promise<Answer<T>> {
  const { status, headers } = response;
  const text = await response.text().catch(unreachable); // cut in the middle
  const isJson = headers.get('content-type')?.includes('json') ?? false;
  const body: unknown = isJson && text ? JSON.parse(text) : null;
  if (response.ok) return { body: body as T, headers };
  const { code = 'UNKNOWN', message = `The server answered ${status}.` } = (body ?? {}) as Record<string, string>;
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : null;
  const { field, text: said } = inWords(message);
  throw new ApiError(status, code, said, retryAfterMs, headers.get('x-correlation-id'), field);
}

let refreshing: Promise<boolean> | undefined;

/** All that were refused at once wait for one exchange. As `exchange` answers and throws. */
const refresh = (): Promise<boolean> => (refreshing ??= exchange().finally(() => (refreshing = undefined)));

/** False: the session has ended. @throws {ApiError} when that is not known: nobody could answer, or not now */
async function exchange(): Promise<boolean> {
  const response = await refreshInTurn(() => send('POST', '/auth/refresh', {}));
  if (response.status === 401) return false;
  await read(response);
  return true;
}

/** Where a list goes on that was cut; null: it was not. */
export const nextOf = (headers: Headers): string | null =>
  /<\/api\/v1(\/[^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1] ?? null;

/** The rows of a list that are sought, read page by page until there are enough, or `pages` are read. */
export async function rowsOf<T>(
  path: string,
  isSought = (_row: T) => true,
  enough = Infinity,
  pages = Infinity,
): Promise<T[]> {
  const rows: T[] = [];
  for (let next: string | null = path; next && rows.length < enough && pages-- > 0;) {
    const { body, headers }: Answer<T[]> = await call('GET', next);
    rows.push(...body.filter(isSought));
    next = nextOf(headers);
  }
  return rows;
}
