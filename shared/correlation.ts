import { Elysia } from 'elysia';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** True for the text form of a UUID of any version (RFC 9562). */
export const isUuid = (text: string): boolean => UUID.test(text);

/**
 * Gives each request `correlationId` (the caller's `X-Correlation-Id` if it is a UUID, else a new one; sent back on
 * every answer, errors too) and `traceparent` (the caller's if well formed, W3C Trace Context 1; else a new root).
 */
export const correlation = () =>
  new Elysia({ name: 'correlation' })
    .onRequest(({ request, set }) => {
      set.headers['x-correlation-id'] = correlationIdOf(request);
    })
    .derive({ as: 'global' }, ({ request, set }) => ({
      correlationId: String(set.headers['x-correlation-id'] ?? crypto.randomUUID()),
      traceparent: traceparentOf(request),
    }));

/** The caller's `X-Correlation-Id` if it is a UUID, in lower case; else a new one. */
export function correlationIdOf(request: Request): string {
  const id = request.headers.get('x-correlation-id');
  return id !== null && isUuid(id) ? id.toLowerCase() : crypto.randomUUID();
}

function traceparentOf(request: Request): string {
  const header = request.headers.get('traceparent');
  if (header !== null && TRACEPARENT.test(header)) return header;
  const random = crypto.getRandomValues(new Uint8Array(24)).toHex();
  return `00-${random.slice(0, 32)}-${random.slice(32)}-01`;
}
