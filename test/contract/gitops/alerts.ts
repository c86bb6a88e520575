import { Glob } from 'bun';
import { dirname, join } from 'node:path';
import { called, ofKind, type KubeObject } from './objects.ts';

type Rules = { groups: { rules: Rule[] }[] };
export type Rule = { alert: string; expr: string; labels: Record<string, string>; annotations: Record<string, string> };

/** What others export, and where that is said. */
export const othersMetrics: Record<string, string> = {
  kafka_consumergroup_lag: 'Strimzi’s Kafka exporter (danielqsj/kafka_exporter)',
  kafka_consumergroup_current_offset: 'Strimzi’s Kafka exporter (danielqsj/kafka_exporter)',
  kube_job_status_failed: 'kube-state-metrics, docs/metrics/workload/job-metrics.md',
  kube_deployment_status_replicas_unavailable: 'kube-state-metrics, docs/metrics/workload/deployment-metrics.md',
  argocd_app_info: 'Argo CD, docs/operator-manual/metrics.md',
  dapr_component_pubsub_ingress_count: 'dapr/pkg/diagnostics/component_monitoring.go',
  dapr_component_pubsub_ingress_bulk_event_count: 'dapr/pkg/diagnostics/component_monitoring.go',
  process_resident_memory_bytes: 'prom-client, collectDefaultMetrics',
};

const root = join(import.meta.dir, '../../..');

/** Names that our sources give to metrics. */
export async function ownMetrics(): Promise<string[]> {
  const files = [...new Glob('{services,shared}/**/*.ts').scanSync(root)].filter(
    (file) => !/\.test\.ts$|fixture|services\/local\//.test(file),
  );
  const texts = await Promise.all(files.map((file) => Bun.file(join(root, file)).text()));
  return texts.flatMap((text) =>
    [...text.matchAll(/'((?:taskflow|http_server)_[a-z_]+)'/g)].map(([, name = '']) => name),
  );
}

/** Names of metrics in an expression: words that no parenthesis follows, outside quotes and braces. */
export function metricsOf(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\b(by|without)\s*\([^)]*\)/g, '')
    .replaceAll(/\[[^\]]*\]/g, '');
  const words = [...bare.matchAll(/[a-z_][a-z0-9_]*(?!\w)(?!\s*\()/g)].map(([word]) => word);
  return [...new Set(words.filter((word) => word.includes('_')))].map((word) =>
    word.replace(/_(bucket|sum|count)$/, ''),
  );
}

export const alertsOf = (objects: KubeObject[]): Rule[] =>
  ofKind<Rules>(objects, 'PrometheusRule').flatMap(({ spec }) => spec.groups.flatMap(({ rules }) => rules));

/** Expressions of alerts and of dashboards that name a metric which nobody exports. */
export function unknownMetrics(objects: KubeObject[], own: string[]): string[] {
  const ofAlerts = alertsOf(objects).map(({ alert, expr }) => ({ where: alert, expr }));
  const ofDashboards = ofKind(objects, 'ConfigMap')
    .filter(({ metadata }) => metadata.labels?.['grafana_dashboard'])
    .flatMap((map) => expressionsOf(map).map((expr) => ({ where: called(map), expr })));
  const withoutSuffix = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
  const known = new Set([...own, ...Object.keys(othersMetrics)].map(withoutSuffix));
  return [...ofAlerts, ...ofDashboards].flatMap(({ where, expr }) =>
    metricsOf(expr)
      .filter((name) => !known.has(name))
      .map((name) => `${where}: nobody exports ${name}`),
  );
}

function expressionsOf({ data = {} }: KubeObject): string[] {
  type Dashboard = { panels: { targets: { expr: string }[] }[] };
  const dashboards = Object.values(data).map((text) => JSON.parse(text) as Dashboard);
  return dashboards.flatMap(({ panels }) => panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)));
}

/** Alerts that do not help at 3 a.m.: without a command to begin with, or without what people see. */
export async function unhelpful(objects: KubeObject[]): Promise<string[]> {
  const contract = await Bun.file(join(root, 'services/CONTRACT.md')).text();
  const [, section = ''] = contract.split(/^## 10\./m);
  const rows = [...(section.split(/^## /m)[0] ?? '').matchAll(/^\| (.+?) +\|/gm)].map(([, cell]) => cell);
  const problems = alertsOf(objects).map(async ({ alert, labels, annotations }) => {
    const { summary, contract: row, runbook = '' } = annotations;
    const first = await firstBelow(runbook);
    return [
      ...(summary ? [] : ['summary must say what people see']),
      ...(row === 'none' || rows.includes(row) ? [] : [`contract must be a row of CONTRACT 10, got ${row}`]),
      ...(first?.startsWith('```sh') ? [] : [`runbook ${runbook} must lead to a heading that begins with a command`]),
      ...(/^(critical|warning)$/.test(labels['severity'] ?? '') ? [] : ['severity must be critical or warning']),
    ].map((reason) => `${alert}: ${reason}`);
  });
  return (await Promise.all(problems)).flat();
}

/** What stands below a heading, without blank lines; `path#heading` from the root on. */
async function firstBelow(link: string): Promise<string | undefined> {
  const [path = '', anchor] = link.split('#');
  const file = Bun.file(join(root, path));
  if (dirname(path) !== 'gitops' || !(await file.exists())) return undefined;
  const sections = (await file.text()).split(/^#+ /m).map((text) => text.split('\n'));
  const found = sections.find(([heading = '']) => heading.toLowerCase().replaceAll(' ', '-') === anchor);
  return found?.slice(1).find((line) => line !== '');
}
