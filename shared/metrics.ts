import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** Ours have one prefix; what others measure in the same way has the name that it has there (OpenTelemetry, for HTTP). */
type Name = `taskflow_${string}` | 'http_server_request_duration_seconds';

/** 1 ms to 10 s: from an answered request to a delivery that waited for its sidecar. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * The metrics of one service in the Prometheus text format (prom-client behind one door, its upstream is quiet).
 * Asking for a name twice gives the same metric.
 */
export function createMetrics(service: string, { version, commit }: { version: string; commit: string }) {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'taskflow_build_info',
    help: 'Version and commit, always 1',
    labelNames: ['version', 'commit'],
    registers: [registry],
  })
    .labels(version, commit)
    .set(1);
  const once = <M>(name: Name, make: () => M): M => (registry.getSingleMetric(name) as M | undefined) ?? make();
  const gauge = (
    name: Name,
    help: string,
    labelNames: string[] = [],
    collect?: (gauge: Gauge) => void | Promise<void>,
  ) =>
    once(name, () => {
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        ...(collect && { collect: () => collect(gauge) }),
      });
      return gauge;
    });

  return {
    counter: (name: Name, help: string, labelNames: string[] = []) =>
      once(name, () => new Counter({ name, help, labelNames, registers: [registry] })),
    /** `collect` is called at each scrape and sets the value. */
    gauge,
    /** A gauge that `count` reads in the database at each scrape, so that every replica says the same. */
    counted: (name: Name, help: string, count: () => Promise<number>) =>
      gauge(name, help, [], async (gauge) => {
        // The database is down, as readiness says; the other metrics are still worth a scrape.
        gauge.set(await count().catch(() => Number.NaN));
      }),
    histogram: (name: Name, help: string, labelNames: string[] = [], buckets = SECONDS) =>
      once(name, () => new Histogram({ name, help, labelNames, buckets, registers: [registry] })),
    /** Prometheus text of all metrics. */
    text: () => registry.metrics(),
  };
}
