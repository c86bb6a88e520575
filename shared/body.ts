import { Elysia } from 'elysia';
import { excess, flaw } from './json.ts';

/** Longest body we read, in bytes: 1 MiB (CONTRACT 4). */
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * How every service listens. Idle for 120 s: streams send a heartbeat each 30 s, which Bun's default would cut. No limit
 * of Bun's own on bodies: a long one is refused by `jsonBodies` in our own error form and is never held in memory; Bun
 * would refuse it with an empty answer, and drops what nobody reads (measured, Bun 1.4.5: 300 MB sent, 15 MB more
 * memory). A port that is taken is an error: Elysia's default would share it with an orphan of an earlier run.
 */
export const serveOptions = {
  idleTimeout: 120,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  reusePort: false,
} as const;

/** A body that cannot be taken: too long, encoded, not JSON, or JSON that no field of ours may hold. */
export class BodyError extends Error {
  override name = 'BodyError';
  constructor(
    readonly status: 400 | 413 | 415,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/**
 * Reads every body as JSON (`application/json` or `…+json`) in place of Elysia's parsers, which take forms and plain
 * text as well, and answer malformed JSON before anybody has asked who is calling. Here a bad body is remembered and
 * refused only when the handler would run, so authentication (a `derive`) answers first. No body is `null`.
 */
export const jsonBodies = () =>
  new Elysia({ name: 'json-bodies' })
    .onParse({ as: 'global' }, async ({ request }, contentType) => {
      try {
        return await read(request, contentType);
      } catch (error) {
        if (!(error instanceof BodyError)) throw error;
        problems.set(request, error);
        return null;
      }
    })
    .onBeforeHandle({ as: 'global' }, ({ request }) => {
      const problem = problems.get(request);
      if (problem && !isDelivery(request)) throw problem;
    });

/** Why this request's body was not taken, for an error that its absence led to. */
export const bodyProblem = (request: Request): BodyError | undefined => problems.get(request);

const problems = new WeakMap<Request, BodyError>();

async function read(request: Request, contentType: string): Promise<unknown> {
  const bytes = await bytesOf(request);
  if (bytes.length === 0) return null;
  if (isEncoded(request)) {
    const message = 'Send the body without Content-Encoding: it is taken uncompressed only.';
    throw new BodyError(415, message, { 'accept-encoding': 'identity' }); // RFC 9110, 15.5.16
  }
  const type = contentType.trim().toLowerCase();
  if (type !== 'application/json' && !type.endsWith('+json')) {
    throw new BodyError(415, 'Send the body as application/json.');
  }
  if (isDelivery(request)) return parsed(bytes);
  refuse(excess(bytes));
  const value = parsed(bytes);
  refuse(notAnObject(value) ?? flaw(value));
  return value;
}

function refuse(problem: string | null): void {
  if (problem !== null) throw new BodyError(400, problem);
}

/**
 * What becomes of an event is its consumer's decision, also of one that cannot be read: the sidecar would offer it again
 * for any status but 200. By the path, since a caller could call any body an event.
 */
const isDelivery = (request: Request): boolean => new URL(request.url).pathname.startsWith('/events/');

/** `identity` is the coding that changes nothing. */
function isEncoded({ headers }: Request): boolean {
  const codings = (headers.get('content-encoding') ?? '').toLowerCase().split(',');
  return codings.some((coding) => !['', 'identity'].includes(coding.trim()));
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof TypeError) {
      throw new BodyError(400, 'The body is not valid JSON in UTF-8.');
    }
    throw cause;
  }
}

/** A body that says its length is not read when it is too long; one that does not is counted while it comes. */
async function bytesOf(request: Request): Promise<Uint8Array> {
  const length = request.headers.get('content-length');
  if (Number(length) > MAX_BODY_BYTES) throw tooLong();
  if (length !== null) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of request.body ?? []) {
    total += chunk.length;
    if (total > MAX_BODY_BYTES) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tooLong = () => new BodyError(413, 'The body is longer than 1 MiB.');

/** Every body of ours is one; a schema of optional fields alone would let a list pass (Elysia 1.4.30). */
const notAnObject = (value: unknown): string | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? null : 'The body must be a JSON object.';
