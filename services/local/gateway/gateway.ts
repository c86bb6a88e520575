import { clientAddress } from '#shared/address';
import { serveOptions } from '#shared/body';
import { ApiError, bodyRefusal } from '#shared/errors';
import { correlationIdOf } from '#shared/correlation';
import { headOfStream } from '#shared/head';
import { defaultHeaders } from '#shared/headers';
import { completeUrl, hostRefusal } from '#shared/host';
import { BodyError, createIntake, type Intake, MAX_BODY_BYTES } from '#shared/intake';
import { allowOf } from '#shared/methods';
import { publicPaths } from '#shared/public-paths';
import type { Site } from '../../web/site.ts';
import type { AppId } from '../machine/apps.ts';
import { compressed } from './compress.ts';
import { loginAsDemo, type DemoUser } from './demo-login.ts';
import { problem } from './problem.ts';
import { mayKeepConnection } from '../machine/once.ts';
import { codeOf } from '../machine/refusal.ts';

export type GatewayOptions = {
  /** The address it listens on, the loopback if not given. It goes by the names of the loopback and of `publicUrl` all the same. */
  host?: string;
  port: number;
  /** Where each service listens on the loopback. */
  ports: Record<AppId, number>;
  /** `PUBLIC_URL`. */
  publicUrl: string;
  /** The page, which may still be being built, or have been built anew. */
  site: () => Promise<Site>;
  /** Whom the page may log in as; null: nobody. */
  demo: DemoUser | null;
  /** What `/tour` says. */
  tour: () => Promise<string>;
  /** Whether an address is a proxy of ours, whose `X-Forwarded-For` says who sends a body. */
  isTrusted?: (address: string) => boolean;
  intake?: Intake;
};

/** The service that answers a public path; undefined: none does (event delivery, health of a service, metrics). */
export function serviceOf(path: string): AppId | undefined {
  return publicPaths.find(([prefix]) => isBelow(path, prefix))?.[1] ?? undefined;
}

/**
 * One origin for all public paths. Each stream is a `fetch` as long as it lasts, of which Bun has 256 at once unless the script
 * `up` says more: the next waits for one to end, whoever sends it. It takes in a body before it knows who sends it, so the intake of all
 * of them is bounded, as `up` itself runs in this process. Streams pass chunk by chunk, a client that leaves is felt by the
 * service at once. Throws EADDRINUSE when the port is taken, EADDRNOTAVAIL when this machine has no such address.
 */
export function startGateway({
  host = LOOPBACK,
  port,
  ports,
  publicUrl,
  site,
  demo,
  tour,
  isTrusted = () => false,
  intake = createIntake(),
}: GatewayOptions): Bun.Server<undefined> {
  const own: Record<string, Record<string, Handler>> = {
    '/tour': { GET: async () => new Response(await tour(), { headers: textHeaders }) },
    '/health': { GET: () => overview(ports) },
    ...(demo && {
      '/local/demo-login': {
        POST: (request, server) => loginAsDemo(request, server.requestIP(request)?.address, demo, ports['chat-api']),
      },
    }),
  };
  const refusal = hostRefusal({ host: LOOPBACK, publicUrl });
  const headers = Object.entries(defaultHeaders(publicUrl));

  async function answer(request: Request, server: Bun.Server<undefined>): Promise<Response> {
    const refused = refusal(request);
    if (refused) return problem(request, refused);
    const { pathname, search } = new URL(request.url);
    const appId = serviceOf(pathname);
    if (appId) {
      const target = `http://127.0.0.1:${ports[appId]}${pathname}${search}`;
      return forward(request, target, { server, intake, isTrusted });
    }
    const methods = own[pathname] ?? (await pageMethods(request));
    if (!methods) return problem(request, new ApiError(404, 'NOT_FOUND', `There is nothing at ${pathname}.`));
    const handler = methods[request.method === 'HEAD' ? 'GET' : request.method]; // Bun leaves the body out
    return handler ? handler(request, server) : withoutMethod(request, Object.keys(methods));
  }

  async function pageMethods(request: Request): Promise<Record<string, Handler> | null> {
    const page = await site();
    const file = page.find(request);
    return file && { GET: (asked) => page.answer(asked, file) };
  }

  return Bun.serve({
    ...serveOptions,
    hostname: host,
    port,
    development: false,
    async fetch(request, server) {
      completeUrl(request);
      const response = await answer(request, server);
      for (const [name, value] of headers) if (!response.headers.has(name)) response.headers.set(name, value);
      if (!response.headers.has('x-correlation-id')) {
        response.headers.set('x-correlation-id', correlationIdOf(request)); // of our own pages, too
      }
      return response;
    },
  });
}

const LOOPBACK = '127.0.0.1';

type Handler = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>;

/** As the services answer a method that a path has not. */
function withoutMethod(request: Request, has: string[]): Response {
  const allow = allowOf(has);
  if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } });
  return problem(
    request,
    new ApiError(405, 'METHOD_NOT_ALLOWED', `This address takes ${allow}.`, { headers: { allow } }),
  );
}

const textHeaders = { 'content-type': 'text/plain; charset=utf-8' };

/** Belong to one connection, not to the message (RFC 9110, 7.6.1). */
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** What a sidecar shows, and what a proxy says of the name that was asked for: from outside anybody could say it. */
const notFromOutside = ['dapr-api-token', 'x-forwarded-host'];

async function forward(
  request: Request,
  target: string,
  {
    server,
    intake,
    isTrusted,
  }: { server: Bun.Server<undefined>; intake: Intake; isTrusted: (address: string) => boolean },
): Promise<Response> {
  const headers = without([...hopByHop, ...notFromOutside], request.headers);
  const address = server.requestIP(request)?.address ?? '127.0.0.1';
  const before = headers.get('x-forwarded-for');
  headers.set('x-forwarded-for', before ? `${before}, ${address}` : address);
  try {
    // One in memory can be sent again on a fresh connection.
    const by = clientAddress(request, address, isTrusted);
    const body = request.body && (await intake.take(request, { maxBytes: MAX_BODY_BYTES, by }));
    const response = await fetch(target, {
      method: request.method,
      headers,
      body,
      redirect: 'manual',
      decompress: false,
      signal: request.signal,
      keepalive: mayKeepConnection(request.method),
    });
    const answer = { status: response.status, headers: without(hopByHop, response.headers) };
    // Silent between two heartbeats, for as long as its service likes.
    if (answer.headers.get('content-type')?.startsWith('text/event-stream')) server.timeout(request, 0);
    const isHeadOfStream = request.method === 'HEAD' && response.ok && !response.headers.has('content-length');
    return isHeadOfStream ? headOfStream(answer.headers) : compressed(request, new Response(response.body, answer));
  } catch (error) {
    if (request.signal.aborted) return new Response(null, { status: 499 }); // nobody reads it
    return problem(request, notForwarded(error));
  }
}

function notForwarded(error: unknown): ApiError {
  if (error instanceof BodyError) return bodyRefusal(error, 'VALIDATION_ERROR');
  if (codeOf(error) !== 'ECONNREFUSED')
    return new ApiError(502, 'BAD_GATEWAY', 'The service ended the connection before it answered.');
  const headers = { 'retry-after': '1' };
  return new ApiError(503, 'SERVICE_UNAVAILABLE', 'This service is starting or not running; please try again.', {
    headers,
  });
}

function without(names: string[], from: Headers): Headers {
  const headers = new Headers(from);
  for (const name of names) headers.delete(name);
  return headers;
}

/** What each service says about itself; 503 when one of them is not ready. */
async function overview(ports: Record<AppId, number>): Promise<Response> {
  const services = Object.fromEntries(
    await Promise.all(
      Object.entries(ports).map(async ([appId, port]) => {
        try {
          const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(2000) });
          const said = (await answer.json()) as { status: string };
          return [appId, said] as const;
        } catch {
          // Refused or too slow: the same to whoever looks.
          return [appId, { status: 'away' }] as const;
        }
      }),
    ),
  );
  const isWell = Object.values(services).every(({ status }) => status === 'ready' || status === 'degraded');
  return Response.json({ status: isWell ? 'healthy' : 'unhealthy', services }, { status: isWell ? 200 : 503 });
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}
