import { Elysia } from 'elysia';
import { within } from './db.ts';
import type { Metrics } from './metrics.ts';

/** Resolves when the dependency answers, rejects with the reason otherwise. */
export type Check = () => Promise<unknown>;

/** Longer than a healthy database or sidecar needs, shorter than a probe waits. */
const CHECK_MS = 500;

/**
 * `GET /health/live` (no I/O), `GET /health/ready` (503 with a reason per dependency when one of `ready` fails; a
 * failing `degraded` check only shows in the body) and `GET /metrics` (Prometheus text).
 */
export const health = ({
  service,
  version,
  commit,
  ready,
  degraded = {},
  metrics,
}: {
  service: string;
  version: string;
  commit: string;
  ready: Record<string, Check>;
  degraded?: Record<string, Check>;
  metrics: Metrics;
}) => {
  const about = { service, version, commit };
  const isReady = metrics.gauge('taskflow_ready', '1 when the last look found everything this service needs');
  const isDegraded = metrics.gauge(
    'taskflow_degraded',
    '1 when the last look found something missing that it can do without',
  );

  async function readiness(set: { status?: number | string }) {
    const [needed, useful] = await Promise.all([results(ready), results(degraded)]);
    const isUp = failures(needed) === 0;
    const isWhole = failures(useful) === 0;
    isReady.set(isUp ? 1 : 0);
    isDegraded.set(isWhole ? 0 : 1);
    set.status = isUp ? 200 : 503;
    return { status: isUp ? (isWhole ? 'ready' : 'degraded') : 'unready', ...about, checks: { ...needed, ...useful } };
  }

  return (
    new Elysia({ name: 'health' })
      .get('/health/live', () => ({ status: 'live', ...about }))
      .get('/health/ready', ({ set }) => readiness(set))
      // HAProxy asks by OPTIONS unless it is told otherwise, and would take the 204 of any other path for readiness.
      .options('/health/ready', ({ set }) => readiness(set))
      .get('/metrics', async ({ set }) => {
        set.headers['content-type'] = 'text/plain; version=0.0.4; charset=utf-8';
        return metrics.text();
      })
  );
};

const failures = (checks: Record<string, string>) => Object.values(checks).filter((result) => result !== 'ok').length;

async function results(checks: Record<string, Check>): Promise<Record<string, string>> {
  const entries = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        await within(CHECK_MS, check());
        return [name, 'ok'] as const;
      } catch (error) {
        return [name, error instanceof Error && error.message ? error.message : String(error)] as const;
      }
    }),
  );
  return Object.fromEntries(entries);
}
