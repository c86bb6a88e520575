import { Elysia } from 'elysia';
import { lateness } from './deadline.ts';
import { BodyError, type Intake } from './intake.ts';
import { excess, flaw } from './json.ts';

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

/**
 * How long the body of this request may be, in bytes, and whose it is: asked before any of it is read (`admission.ts`).
 * @throws when nothing of it is to be read
 */
export type Admission = (request: Request, path: string) => Promise<{ maxBytes: number; by: string }>;

/** Where long bodies wait for their turn (`createPlaces`). */
interface Turns {
  within<T>(name: string, work: () => T | Promise<T>, lateness?: AbortSignal): Promise<T>;
}

/** What is longer is looked through one at a time of whoever sends it, with a rest after it: 1 MiB takes up to 4 ms. */
const LONG_BYTES = 16 * 1024;

/**
 * Reads every body as JSON (`application/json` or `…+json`) in place of Elysia's parsers, which take forms and plain
 * text as well, and answer malformed JSON before anybody has asked who is calling. Elysia parses before any hook that
 * could refuse, so the refusal is remembered here and thrown when the handler would run. No body is `null`.
 */
export const jsonBodies = (
  admit: Admission,
  // `deliveries`: of their own, so that what people send, and all of them at once, holds up none.
  { intake, deliveries, readings }: { intake: Intake; deliveries: Intake; readings: Turns },
) =>
  new Elysia({ name: 'json-bodies' })
    .onParse({ as: 'global' }, async ({ request, path }, contentType) => {
      if (request.body === null) return null;
      let admitted: Awaited<ReturnType<Admission>>;
      try {
        admitted = await admit(request, path);
      } catch (error) {
        return remember(request, error);
      }
      try {
        const isEvent = isDelivery(path);
        const bytes = await (isEvent ? deliveries : intake).take(request, admitted);
        const reading = () => read(request, path, contentType, bytes);
        if (bytes.length <= LONG_BYTES || isEvent) return reading();
        return await readings.within(admitted.by, reading, lateness(request));
      } catch (error) {
        if (!(error instanceof BodyError)) throw error;
        return remember(request, error);
      }
    })
    .onBeforeHandle({ as: 'global' }, ({ request, path }) => {
      const refusal = refusals.get(request);
      if (refusal !== undefined && !(isDelivery(path) && isOfContent(refusal))) throw refusal;
    });

/** Why this request's body was not taken, for an error that its absence led to. */
export const refusalOf = (request: Request): unknown => refusals.get(request);

const refusals = new WeakMap<Request, unknown>();

function remember(request: Request, refusal: unknown): null {
  refusals.set(request, refusal);
  return null;
}

function read(request: Request, path: string, contentType: string, bytes: Uint8Array): unknown {
  if (bytes.length === 0) return null;
  if (isEncoded(request)) {
    const message = 'Send the body without Content-Encoding: it is taken uncompressed only.';
    throw new BodyError(415, message, { 'accept-encoding': 'identity' }); // RFC 9110, 15.5.16
  }
  const type = contentType.trim().toLowerCase();
  if (type !== 'application/json' && !type.endsWith('+json')) {
    throw new BodyError(415, 'Send the body as application/json.');
  }
  if (isDelivery(path)) return parsed(bytes);
  refuseJson(excess(bytes));
  const value = parsed(bytes);
  refuseJson(notAnObject(value) ?? flaw(value));
  return value;
}

function refuseJson(problem: string | null): void {
  if (problem !== null) throw new BodyError(400, problem);
}

/** Not of a body that did not come, which may be sent again. */
const isOfContent = (refusal: unknown): boolean => refusal instanceof BodyError && refusal.status !== 408;

/**
 * What becomes of a delivery is its consumer's decision, also of one that cannot be read. By the path, since a caller could
 * call any body an event.
 */
export const isDelivery = (path: string): boolean => path.startsWith('/events/');

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

/** Every body of ours is one; a schema of optional fields alone would let a list pass (Elysia 1.4.30). */
const notAnObject = (value: unknown): string | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? null : 'The body must be a JSON object.';
