import { describe, expect, test } from 'bun:test';
import { Glob } from 'bun';
import { join } from 'node:path';
import { apps } from '../../../services/local/machine/apps.ts';
import { manifests } from '../manifests.ts';
import { alertsOf, metricsOf, ownMetrics, type Rule, unhelpful, unknownMetrics } from './alerts.ts';
import type { KubeObject } from './objects.ts';

const observability = join(import.meta.dir, '../../../gitops/observability');
const inTree = manifests.filter(({ file }) => file.startsWith('observability/')) as unknown as KubeObject[];
const alerts = alertsOf(inTree);

const dashboardFiles = [...new Glob('dashboards/*.json').scanSync(observability)];
const dashboards: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'dashboards', labels: { grafana_dashboard: '1' } },
  spec: {},
  data: Object.fromEntries(
    await Promise.all(
      dashboardFiles.map(async (file) => [file, await Bun.file(join(observability, file)).text()] as const),
    ),
  ),
};

type RuleTests = { tests: { promql_expr_test: { expr: string; exp_samples: object[] }[] }[] };

describe('alerts and dashboards', () => {
  test('use what is exported', async () => {
    expect(dashboardFiles.length).toBeGreaterThan(1);
    expect(unknownMetrics([...inTree, dashboards], await ownMetrics())).toEqual([]);
  });

  test('each alert says what people see and begins with a command', async () => {
    expect(alerts.length).toBeGreaterThan(20);
    expect(await unhelpful(inTree)).toEqual([]);
  });

  test('each alert has been seen to fire, in a test of its rule', async () => {
    const files = [...new Glob('rules-tests/*.yaml').scanSync(observability)];
    const texts = await Promise.all(files.map((file) => Bun.file(join(observability, file)).text()));
    const fired = texts.flatMap((text) =>
      (Bun.YAML.parse(text) as RuleTests).tests
        .flatMap(({ promql_expr_test }) => promql_expr_test)
        .filter(({ exp_samples }) => exp_samples.length > 0)
        .map(({ expr }) => /^ALERTS\{alertname="(\w+)",alertstate="firing"\}$/.exec(expr)?.[1]),
    );
    expect([...new Set(fired)].toSorted()).toEqual([...new Set(alerts.map(({ alert }) => alert))].toSorted());
  });

  // An autoscaler takes it back.
  test('nobody is told to scale by hand what scales by itself', async () => {
    type Scaler = { scaleTargetRef: { name: string } };
    const scalers = manifests
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
      .map(({ spec }) => spec as Scaler);
    const page = await Bun.file(join(observability, '../README.md')).text();
    const scaled = [...page.matchAll(/kubectl .*scale deploy(?:ment)?\/([\w-]+)/g)].map(([, name]) => name);
    expect(scalers.length).toBeGreaterThan(1);
    expect(scaled.filter((name) => scalers.some(({ scaleTargetRef }) => scaleTargetRef.name === name))).toEqual([]);
  });

  test('no service can vanish unnoticed', () => {
    const watched = alerts.filter(({ alert }) => alert === 'ServiceAbsent').map(({ labels }) => labels['service']);
    expect(watched.toSorted()).toEqual([...apps.map(({ appId }) => appId as string), 'web'].toSorted());
  });

  test.each([
    ['PublishErrors', '> 0.01'],
    ['ErrorRate', '> 0.001'],
    ['EventLatency', '> 0.5'],
    ['DeliveryLatency', '> 2'],
    ['RemindersLate', '> 60'],
    ['RemindersOverdue', '> 0'],
    ['DeadLetters', '> 0'],
    ['OutboxWaiting', '> 60'],
    ['DeliveryRepeated', '> 60'],
    ['StreamsNearLimit', '> 9000'],
  ])('%s is told at %s', (name, limit) => {
    expect(alerts.find(({ alert }) => alert === name)?.expr.trim()).toEndWith(limit);
  });
});

const rule = (change: Partial<Rule>): KubeObject[] => {
  const good: Rule = {
    alert: 'OutboxWaiting',
    expr: 'max(taskflow_outbox_oldest_seconds) > 60',
    labels: { severity: 'warning' },
    annotations: { summary: 'late', contract: 'a poison event', runbook: 'gitops/README.md#outbox-waiting' },
  };
  const spec = { groups: [{ rules: [{ ...good, ...change }] }] };
  return [{ apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'any' }, spec }];
};
const annotations = { summary: 'late', contract: 'a poison event', runbook: 'gitops/README.md#outbox-waiting' };

describe('refuses', () => {
  test('a metric that nobody exports', async () => {
    const found = unknownMetrics(rule({ expr: 'max(taskflow_outbox_oldest) > 60' }), await ownMetrics());
    expect(found).toEqual(['OutboxWaiting: nobody exports taskflow_outbox_oldest']);
    expect(unknownMetrics(rule({}), await ownMetrics())).toEqual([]);
  });

  test.each([
    ['no summary', { ...annotations, summary: '' }, 'summary must say'],
    ['a row that there is not', { ...annotations, contract: 'bad weather' }, 'a row of CONTRACT 10, got bad weather'],
    ['a runbook that there is not', { ...annotations, runbook: 'gitops/README.md#none' }, 'must lead to a heading'],
    ['a heading without a command', { ...annotations, runbook: 'gitops/README.md#promote' }, 'begins with a command'],
  ])('%s', async (_what, given, reason) => {
    expect(await unhelpful(rule({ annotations: given }))).toEqual([expect.stringContaining(reason)]);
    expect(await unhelpful(rule({}))).toEqual([]);
  });

  test('a severity of its own', async () => {
    expect(await unhelpful(rule({ labels: { severity: 'bad' } }))).toEqual([
      'OutboxWaiting: severity must be critical or warning',
    ]);
  });
});

test('metrics are told from functions, labels and words of PromQL', () => {
  const expression =
    'histogram_quantile(0.9, sum by (le, pod_name) (rate(taskflow_a_seconds_bucket{job_name="x_y"}[5m]))) > 1 or absent(kube_b)';
  expect(metricsOf(expression)).toEqual(['taskflow_a_seconds', 'kube_b']);
});
