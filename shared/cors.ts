import { cors } from '@elysiajs/cors';
import { Elysia } from 'elysia';

/** How long a browser may remember what it was told before a request, in seconds. */
const MAX_AGE = 600;

/**
 * Pages of these origins (`CORS_ORIGINS`) may call, with cookies; without any, no header of CORS is ever sent. Use it
 * before the routes, so that refusals carry the headers too. An OPTIONS that asks nothing about CORS goes on to them:
 * the library would answer that too.
 */
export const crossOrigin = (origins: string[]) =>
  origins.length === 0
    ? new Elysia()
    : cors({
        preflight: false,
        origin: (request) => origins.includes(request.headers.get('origin') ?? ''),
        credentials: true,
        methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        allowedHeaders: [
          'Authorization',
          'Content-Type',
          'Idempotency-Key',
          'If-Match',
          'Last-Event-ID',
          'X-Correlation-Id',
        ],
        exposeHeaders: ['ETag', 'Link', 'Location', 'Retry-After', 'X-Correlation-Id'],
      }).onRequest(({ request, set }) => {
        if (request.method !== 'OPTIONS' || !request.headers.has('access-control-request-method')) return;
        set.headers['access-control-max-age'] = String(MAX_AGE);
        return new Response(null, { status: 204 });
      });
