import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { requireOk, untilReady } from '../../services/local/machine/child.ts';
import { freePorts } from '../../services/local/machine/port.ts';
import type { KubeObject } from '../gitops/kube-api.ts';
import { builds, render } from '../gitops/render.ts';
import { type Cluster, kubeconfigIn, spawnPart } from './cluster.ts';
import type { ArgoPrograms } from './programs.ts';

const READY_MS = 60_000;

type Container = { env?: { name: string; valueFrom?: { configMapKeyRef?: { name: string; key: string } } }[] };
type Workload = KubeObject & { spec: { template: { spec: { containers: Container[] } } } };

/**
 * Argo CD with the settings of `gitops/bootstrap/argocd`: all of its objects are in the cluster, and what its pods would run,
 * runs here: repository server and application controller, on a cache in place of Redis. Without API server and pages.
 */
export async function startArgo(
  cluster: Cluster,
  { programs, tree, folder }: { programs: ArgoPrograms; tree: string; folder: string },
): Promise<{ stop(): Promise<void> }> {
  await using opened = new AsyncDisposableStack();
  const objects = await install(cluster, { programs, tree, folder: join(folder, 'install') });
  const [redisPort, repoPort, repoMetrics, metrics] = freePorts(4);
  const environment = {
    ...(await places(programs, folder)),
    KUBECONFIG: await kubeconfigIn('argocd', cluster, folder),
  };
  const start = (name: string, args: string[]) => {
    const settings = settingsOf(objects, name);
    const child = spawnPart([programs.argocd, ...args], { ...settings, ...environment, ARGOCD_BINARY_NAME: name });
    opened.defer(child.stop);
    return child;
  };

  opened.defer(spawnPart([programs.redis, `127.0.0.1:${redisPort}`]).stop);
  const cache = ['--redis', `127.0.0.1:${redisPort}`];
  const loopback = ['--address', '127.0.0.1', '--metrics-address', '127.0.0.1', '--disable-tls'];
  start('argocd-repo-server', [...loopback, '--port', `${repoPort}`, '--metrics-port', `${repoMetrics}`, ...cache]);
  // Its metrics alone answer beyond the loopback: it has no flag for their address.
  const reads = ['--repo-server', `127.0.0.1:${repoPort}`, '--repo-server-plaintext'];
  const controller = start('argocd-application-controller', [...reads, '--metrics-port', `${metrics}`, ...cache]);
  const probe = () => requireOk(`http://127.0.0.1:${metrics}/healthz`);
  await untilReady(controller, { name: 'the application controller', ms: READY_MS, probe });
  const running = opened.move();
  return { stop: () => running.disposeAsync() };
}

/** What `kubectl apply -k gitops/bootstrap/argocd` applies, by the install file of the module in place of the same one's address. */
async function install(
  { api }: Cluster,
  { programs, tree, folder }: { programs: ArgoPrograms; tree: string; folder: string },
): Promise<KubeObject[]> {
  await mkdir(folder, { recursive: true });
  const all = await builds(tree, { folder, modules: programs.modules, combined: false });
  const bootstrap = all.find(({ name }) => name === 'bootstrap/argocd');
  if (!bootstrap) throw new Error(`${tree} has no bootstrap/argocd`);
  const objects = await render(programs.kustomize, bootstrap.folder);
  const rank = ({ kind }: KubeObject) => ['Namespace', 'CustomResourceDefinition'].indexOf(kind) * -1;
  for (const object of objects.toSorted((a, b) => rank(a) - rank(b))) {
    const { refusal } = await api.apply(object);
    if (refusal) throw new Error(`${object.kind} ${object.metadata.name}: ${refusal}`);
  }
  // Its API server would make this one.
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'argocd-secret', namespace: 'argocd' } };
  await api.apply({ ...secret, stringData: { 'server.secretkey': crypto.randomUUID() } });
  return objects;
}

/** What its pod would get of the ConfigMaps that bootstrap/argocd changes. */
function settingsOf(objects: KubeObject[], name: string): Record<string, string> {
  const workload = objects.find(
    ({ kind, metadata }) => metadata.name === name && /^(Deployment|StatefulSet)$/.test(kind),
  ) as Workload;
  const maps = new Map(
    objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata, data }) => [metadata.name, data ?? {}]),
  );
  const variables = workload.spec.template.spec.containers.flatMap(({ env = [] }) => env);
  return Object.fromEntries(
    variables.flatMap(({ name: variable, valueFrom }) => {
      const { name: map = '', key = '' } = valueFrom?.configMapKeyRef ?? {};
      const value = (maps.get(map) as Record<string, string> | undefined)?.[key];
      return value === undefined ? [] : [[variable, value]];
    }),
  );
}

/** Folders that its images have, and the programs that they hold. */
async function places(programs: ArgoPrograms, folder: string): Promise<Record<string, string>> {
  const own = {
    ARGOCD_TLS_DATA_PATH: 'tls',
    ARGOCD_SSH_DATA_PATH: 'ssh',
    ARGOCD_GNUPGHOME: 'gpg/keys',
    ARGOCD_GPG_DATA_PATH: 'gpg/source',
    ARGOCD_PLUGINSOCKFILEPATH: 'plugins',
    TMPDIR: 'tmp',
    HELM_CACHE_HOME: 'helm',
    HELM_CONFIG_HOME: 'helm',
    HELM_DATA_HOME: 'helm',
  };
  const paths = Object.entries(own).map(([variable, path]) => [variable, join(folder, 'argocd', path)] as const);
  for (const [, path] of paths) await mkdir(path, { recursive: true, mode: 0o700 });
  const tools = [...new Set([programs.kustomize, programs.helm].map((program) => join(program, '..')))];
  return {
    ...Object.fromEntries(paths),
    PATH: [...tools, process.env['PATH']].join(':'),
    ARGOCD_FAKE_IN_CLUSTER: 'true',
    ARGOCD_GPG_ENABLED: 'false',
  };
}
