import { apps } from '../../services/local/machine/apps.ts';
import { consumers } from '#shared/events';
import { startInjector } from './injector.ts';
import type { ControlPlane } from './control-plane.ts';
import type { KubeObject } from './kube-api.ts';
import { podTemplateOf, type Rendered, within } from './objects.ts';
import { podOf } from './validate.ts';
import type { Verdict } from './verdict.ts';

type Container = {
  name: string;
  image: string;
  args?: string[];
  env?: { name: string }[];
  ports?: { containerPort: number }[];
};
type Pod = { spec: { containers: Container[] } };

/** How long the API server may take to hear of a webhook. */
const REGISTERED_MS = 15_000;
const SIDECAR = 'daprd';

/**
 * Lets Dapr's own injector make pods of all Deployments of one environment, with the settings that its chart has there, and
 * compares each sidecar's arguments with what we mean: all of them, so that nothing comes in that nobody meant.
 */
export async function checkInjection(
  { api, kubeconfig }: ControlPlane,
  {
    environment,
    chart,
    rendered,
    program,
    folder,
    verdict,
  }: {
    environment: string;
    chart: KubeObject[];
    rendered: Rendered[];
    program: string;
    folder: string;
    verdict: Verdict;
  },
): Promise<void> {
  const overlay = `overlays/${environment}`;
  const deployments = rendered
    .map(({ object, builds }) => ({ object, builds: builds.filter((name) => name.split(' ')[0] === overlay) }))
    .filter(({ object, builds }) => object.kind === 'Deployment' && builds.length > 0);
  const { child, webhook } = await startInjector({ program, chart, kubeconfig, folder });
  try {
    const { refusal } = await api.apply(webhook);
    if (refusal) throw new Error(`the injector's webhook: ${refusal}`);
    const injected = new Set<string>();
    for (const one of deployments) {
      const template = podTemplateOf(one.object);
      if (!template || template.metadata?.annotations?.['dapr.io/enabled'] !== 'true') continue;
      const { name } = one.object.metadata;
      const what = `sidecar of ${name} (${within(one)})`;
      const reasons = await untilInjected(async () => {
        const answer = await api.tryToCreate(podOf(one.object, template));
        return answer.refusal ?? (answer.object as KubeObject & Pod);
      });
      if (reasons.length > 0) verdict.fail(what, reasons.join('; '));
      else verdict.pass(`${what}: Dapr's injector, Pod Security`);
      if (one.builds.includes(overlay)) injected.add(name);
    }
    const missing = apps.map(({ appId }) => appId).filter((appId) => !injected.has(appId));
    if (missing.length > 0) verdict.fail(`sidecars of ${overlay}`, `nothing injects ${missing.join(', ')}`);
  } finally {
    await api.remove(webhook);
    await child.stop();
  }
}

/** @returns what is wrong with the pod; it may be asked for too early once, before the API server knows the webhook */
async function untilInjected(create: () => Promise<string | (KubeObject & Pod)>): Promise<string[]> {
  const deadline = performance.now() + REGISTERED_MS;
  for (;;) {
    const pod = await create();
    if (typeof pod === 'string') return [pod];
    if (pod.spec.containers.some(({ name }) => name === SIDECAR)) return differences(pod);
    if (performance.now() > deadline) return ['the injector adds no sidecar'];
    await Bun.sleep(50);
  }
}

function differences({ metadata, spec }: KubeObject & Pod): string[] {
  const [app] = spec.containers.filter(({ name }) => name !== SIDECAR);
  const [sidecar] = spec.containers.filter(({ name }) => name === SIDECAR);
  const meant = argumentsMeant(metadata.name, app?.ports?.[0]?.containerPort);
  const given = argumentsOf(sidecar?.args ?? []);
  const unlike = [...new Set([...Object.keys(meant), ...Object.keys(given)])].filter(
    (key) => meant[key] !== given[key],
  );
  const tokens = ['DAPR_API_TOKEN', ...(isConsumer(metadata.name) ? ['APP_API_TOKEN'] : [])];
  return [
    ...unlike.map((key) => `${key} must be ${meant[key] ?? 'absent'}, got ${given[key] ?? 'nothing'}`),
    ...tokens
      .filter((token) => !sidecar?.env?.some(({ name }) => name === token))
      .map((token) => `the sidecar lacks ${token}`),
  ];
}

/** `--a 1 --b --c=2` as names and values; a flag alone is 'true'. */
function argumentsOf([, ...args]: string[]): Record<string, string> {
  const found: Record<string, string> = {};
  let name = '';
  for (const arg of args) {
    if (arg.startsWith('--')) {
      const [flag = '', value = 'true'] = arg.slice(2).split('=');
      found[(name = flag)] = value;
    } else found[name] = arg;
  }
  return found;
}

const isConsumer = (appId: string) => appId in consumers;

/**
 * How daprd runs in a cluster. What it has from us is as `startDaprd` has it on one machine: one call to an app at a time, no
 * way to reconfigure it from outside, and no app health check, ever.
 */
function argumentsMeant(appId: string, port: number | undefined): Record<string, string> {
  return {
    'app-id': appId,
    // The processor only calls.
    ...(isConsumer(appId) && { 'app-port': String(port), 'app-max-concurrency': '1' }),
    'app-protocol': 'http',
    config: 'taskflow',
    'disable-builtin-k8s-secret-store': 'true',
    'disable-init-endpoints': 'config,subscribe',
    'dapr-graceful-shutdown-seconds': '5',
    'log-as-json': 'true',
    'log-level': 'info',
    // As every sidecar in a cluster has it. No address of placement or scheduler: neither actors nor jobs are used.
    mode: 'kubernetes',
    'enable-mtls': 'true',
    'control-plane-address': 'dapr-api.dapr-system.svc.cluster.local:443',
    'sentry-address': 'dapr-sentry.dapr-system.svc.cluster.local:443',
    'dapr-listen-addresses': '[::1],127.0.0.1',
    'dapr-http-port': '3500',
    'dapr-grpc-port': '50001',
    'dapr-internal-grpc-port': '50002',
    'dapr-public-port': '3501',
    'enable-metrics': 'true',
    'metrics-port': '9090',
  };
}
