import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, spawnCommand, untilReady } from '../../services/local/machine/child.ts';
import { processEnvironment } from '../../services/local/machine/environment.ts';
import { freePort } from '../../services/local/machine/port.ts';
import type { KubeObject } from './kube-api.ts';

const READY_MS = 20_000;

type Variable = { name: string; value?: string };
type Deployment = { spec: { template: { spec: { containers: { args: string[]; env: Variable[] }[] } } } };
type Webhooks = { webhooks: { clientConfig: object }[] };

/**
 * Dapr's injector with the settings that its chart gives it, and the webhook by which an API server asks it: the chart's own,
 * at another address. Not registered yet.
 */
export async function startInjector({
  program,
  chart,
  kubeconfig,
  folder,
}: {
  program: string;
  /** What Helm makes of Dapr's chart. */
  chart: KubeObject[];
  kubeconfig: string;
  folder: string;
}): Promise<{ child: Child; webhook: KubeObject }> {
  const port = freePort();
  const bundle = join(folder, `injector-${port}.crt`);
  const { args, environment, namespace } = settingsOf(chart);
  const flags = [`--kubeconfig=${kubeconfig}`, `--port=${port}`, `--ca-bundle=${bundle}`, `--namespace=${namespace}`];
  const child = spawnCommand(
    [program, ...flags, ...args],
    { ...processEnvironment(), ...environment },
    { onLine() {} },
  );
  const probe = async () => {
    const ca = await readFile(bundle, 'utf8');
    // It takes requests of the API server alone, and says so.
    await fetch(`https://127.0.0.1:${port}/mutate`, { tls: { ca }, signal: AbortSignal.timeout(2000) });
  };
  await untilReady(child, { name: 'injector', ms: READY_MS, probe });
  const caBundle = Buffer.from(await readFile(bundle)).toString('base64');
  const registered = found<Webhooks>(chart, 'MutatingWebhookConfiguration', 'dapr-sidecar-injector');
  const clientConfig = { url: `https://127.0.0.1:${port}/mutate`, caBundle };
  return {
    child,
    webhook: { ...registered, webhooks: registered.webhooks.map((each) => ({ ...each, clientConfig })) },
  };
}

function settingsOf(chart: KubeObject[]) {
  const deployment = found<Deployment>(chart, 'Deployment', 'dapr-sidecar-injector');
  const namespace = deployment.metadata.namespace ?? 'dapr-system';
  const [container] = deployment.spec.template.spec.containers;
  const env = container?.env ?? [];
  const values = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
  return {
    namespace,
    environment: { ...Object.fromEntries(values), NAMESPACE: namespace },
    // Its other flags are of logs, metrics and its health.
    args: (container?.args ?? []).filter((arg) => arg.startsWith('--scheduler-enabled=')),
  };
}

function found<T>(objects: KubeObject[], kind: string, name: string): KubeObject & T {
  const object = objects.find((each) => each.kind === kind && each.metadata.name === name);
  if (!object) throw new Error(`Dapr's chart has no ${kind} ${name}`);
  return object as KubeObject & T;
}
