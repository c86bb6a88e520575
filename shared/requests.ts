import { Elysia } from 'elysia';
import { isDelivery } from './body.ts';
import { isHead } from './head.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Of RFC 9110 and 5789; any text may come as a method, so others share one name, that of OpenTelemetry. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const OTHER_METHOD = '_OTHER';

/**
 * Measures each request until its answer begins, and writes a line about it: of probes, scrapes and deliveries, which say
 * the same by their metrics, at the level debug. Use it after everything else that wraps an answer, and before the routes.
 * Metric and labels: OpenTelemetry, semantic conventions for HTTP metrics. The route is the pattern, empty where there is none.
 */
export function requests({ log, metrics }: { log: Log; metrics: Metrics }) {
  const seconds = metrics.histogram(
    'http_server_request_duration_seconds',
    'From a request to the beginning of its answer',
    ['http_request_method', 'http_route', 'http_response_status_code'],
  );
  const routes = new WeakMap<Request, string>();

  function note(request: Request, { status, headers }: Response, ms: number): void {
    const name = isHead(request) ? 'HEAD' : request.method;
    const method = METHODS.has(name) ? name : OTHER_METHOD;
    const route = routes.get(request) ?? '';
    seconds.labels(method, route, String(status)).observe(ms / 1000);
    const correlationId = headers.get('x-correlation-id');
    const line = { method, route, status, ms: Math.round(ms * 10) / 10, correlation_id: correlationId };
    log[isRoutine(route) ? 'debug' : 'info']('request', line);
  }

  return (
    new Elysia({ name: 'requests' })
      .onTransform({ as: 'global' }, ({ request, route }) => void routes.set(request, route))
      // The hook of `deadline.ts`; what is wrapped last stands outermost (Elysia 1.4.30).
      .wrap((handle, request) => async (...args: unknown[]) => {
        const startedAt = performance.now();
        const response = (await handle(...args)) as unknown as Response;
        note(request, response, performance.now() - startedAt);
        return response;
      })
  );
}

const isRoutine = (route: string): boolean => route.startsWith('/health') || route === '/metrics' || isDelivery(route);
