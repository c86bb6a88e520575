import type { Metrics } from '#shared/metrics';
import type { Site } from './site.ts';

type Facts = { version: string; commit: string; metrics: Metrics; isStopping: () => boolean };

/** The page, and what a cluster asks of the process that serves it. No request has an effect, so none is logged. */
export function createApp(site: Site, { version, commit, metrics, isStopping }: Facts) {
  const about = { service: 'web', version, commit };
  const isReady = metrics.gauge('taskflow_ready', '1 when the last look found everything this service needs');
  const own: Record<string, () => Response | Promise<Response>> = {
    // As the gateway of `up` tells of all services, so this of the one that it knows.
    '/health': () =>
      Response.json(
        { status: 'healthy', services: { web: { status: 'ready', ...about, checks: {} } } },
        { headers: noStore },
      ),
    '/health/live': () => Response.json({ status: 'live', ...about }, { headers: noStore }),
    '/health/ready': () => {
      isReady.set(isStopping() ? 0 : 1);
      const status = isStopping() ? 'unready' : 'ready';
      return Response.json({ status, ...about, checks: {} }, { status: isStopping() ? 503 : 200, headers: noStore });
    },
    '/metrics': async () =>
      new Response(await metrics.text(), {
        headers: { ...noStore, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      }),
  };

  return async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const file = site.find(request);
    const handler = own[pathname] ?? (file && (() => site.answer(request, file)));
    if (!handler) return problem(404, 'NOT_FOUND', 'There is nothing at this address.');
    if (request.method === 'GET' || request.method === 'HEAD') return handler();
    const response = problem(405, 'METHOD_NOT_ALLOWED', 'This address takes GET, HEAD.');
    response.headers.set('allow', 'GET, HEAD');
    return response;
  };
}

const noStore = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

const problem = (status: number, code: string, message: string): Response =>
  Response.json({ error: message.replace(/\.$/, ''), code, message }, { status, headers: noStore });
