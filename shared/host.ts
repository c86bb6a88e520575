import { Elysia } from 'elysia';
import { ApiError } from './errors.ts';
import { isLoopback } from './loopback.ts';

/** Where an app listens and under what address people reach it: `HOST` and `PUBLIC_URL`, which may be empty. */
export type Place = { host: string; publicUrl: string };

/**
 * Gives each request a whole URL, and refuses what asks for somebody else. Probes of load balancers name no host
 * (HTTP/1.0 asks for none, and HAProxy sends that), so one that names none is answered; a Host that is none is refused
 * (RFC 9112, 3.2).
 */
export function hosts(place: Place) {
  const refusal = hostRefusal(place);
  return new Elysia({ name: 'hosts' })
    .wrap((handle, request) => {
      completeUrl(request);
      return handle;
    })
    .onRequest(({ request }) => {
      const refused = refusal(request);
      if (refused) throw refused;
    });
}

/**
 * Why a request whose URL is complete is not for us, or null. What listens on the loopback answers to the names of the
 * loopback and to its public one, on any port: a page whose name somebody has let point to this machine (DNS rebinding)
 * would read all of it. What listens elsewhere answers to any name, as its probes and its gateway give it.
 */
export function hostRefusal({ host, publicUrl }: Place): (request: Request) => ApiError | null {
  const isLocal = isLoopback(host);
  const publicName = URL.parse(publicUrl)?.hostname;
  return ({ url, headers }) => {
    const name = URL.parse(url)?.hostname;
    if (name === undefined) return new ApiError(400, 'INVALID_REQUEST', 'The Host header is not a host.');
    if (!isLocal || isLoopback(name) || name === publicName || !headers.get('host')) return null;
    return new ApiError(
      421, // RFC 9110, 15.5.20
      'MISDIRECTED_REQUEST',
      'Nothing here has that name: ask for localhost, or let PUBLIC_URL say the address that people use.',
    );
  };
}

/**
 * Without a Host, and where it is none, Bun 1.4.5 gives the mere path as `url`, from which neither we nor Elysia read
 * anything. A property of the request itself, since a copy would have lost the address of its socket (`requestIP`), by
 * which logins are limited.
 */
export function completeUrl(request: Request): void {
  if (request.url.startsWith('/') && (request.headers.get('host') ?? '') === '')
    Object.defineProperty(request, 'url', { value: `http://localhost${request.url}` });
}
