import { Elysia } from 'elysia';
import { ApiError } from './errors.ts';

/**
 * Gives each request a whole URL. Probes of load balancers name no host (HTTP/1.0 asks for none, and HAProxy sends
 * that), so one that names none is answered; a Host that is none is refused (RFC 9112, 3.2).
 */
export const hosts = () =>
  new Elysia({ name: 'hosts' })
    .wrap((handle, request) => {
      completeUrl(request);
      return handle;
    })
    .onRequest(({ request }) => {
      if (!URL.canParse(request.url)) throw new ApiError(400, 'INVALID_REQUEST', 'The Host header is not a host.');
    });

/**
 * Without a Host, and where it is none, Bun 1.4.5 gives the mere path as `url`, from which neither we nor Elysia read
 * anything. A property of the request itself, since a copy would have lost the address of its socket (`requestIP`), by
 * which logins are limited.
 */
export function completeUrl(request: Request): void {
  if (request.url.startsWith('/') && (request.headers.get('host') ?? '') === '')
    Object.defineProperty(request, 'url', { value: `http://localhost${request.url}` });
}
