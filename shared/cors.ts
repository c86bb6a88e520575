import { cors } from '@elysiajs/cors';
import { Elysia } from 'elysia';

/**
 * Pages of these origins (`CORS_ORIGINS`) may call, with cookies; without any, no header of CORS is ever sent. Use it
 * before the routes, so that refusals carry the headers too.
 */
export const crossOrigin = (origins: string[]) =>
  origins.length === 0
    ? new Elysia()
    : cors({
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
        maxAge: 600,
      });
