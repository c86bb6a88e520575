import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, spawnCommand } from '../../services/local/machine/child.ts';
import { freePort } from '../../services/local/machine/port.ts';
import { partEnvironment, startControlPlane } from '../gitops/control-plane.ts';
import type { KubeApi } from '../gitops/kube-api.ts';
import { eventually } from '../support/wait.ts';
import type { ArgoPrograms } from './programs.ts';

export type Cluster = {
  api: KubeApi;
  kubeconfig: string;
  stop(): Promise<void>;
};

/** Where all pods are. It has as much room as they ask for. */
const NODE = 'kwok';
const READY_MS = 30_000;

/**
 * A whole cluster but for containers: Kubernetes' own API server, controllers and scheduler, and one node of kwok's that says
 * of each pod what a kubelet would (nodes.yaml). Jobs it leaves alone: see jobs.ts.
 *
 * No admission webhook is called, since their servers are pods: that Dapr's injector adds the sidecars is seen by check:gitops.
 */
export async function startCluster(programs: ArgoPrograms, folder: string): Promise<Cluster> {
  await using opened = new AsyncDisposableStack(); // closed again when something does not start
  const flags = ['--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook'];
  const plane = await startControlPlane({ programs, folder, flags });
  opened.defer(plane.stop);
  const { api, kubeconfig, serviceAccountKey } = plane;

  const loopback = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--bind-address=127.0.0.1'];
  const start = (command: string[]) => opened.defer(spawnPart(command).stop);
  start([
    ...[programs.controllers, ...loopback, `--secure-port=${freePort()}`],
    // Each with rights of its own, as everywhere: the default is one that may do less than all need.
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${serviceAccountKey}`,
    // It asks for a metrics server, and calls every autoscaler broken that has none: operators.ts answers in its place.
    '--controllers=*,-horizontal-pod-autoscaler-controller',
    // Its own 20 a second would have it wait for nothing.
    ...['--kube-api-qps=200', '--kube-api-burst=400'],
  ]);
  start([programs.scheduler, ...loopback, `--secure-port=${freePort()}`]);
  start([
    ...[programs.kwok, `--kubeconfig=${kubeconfig}`, `--config=${join(import.meta.dir, 'nodes.yaml')}`],
    ...['--manage-all-nodes=false', '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake'],
    // Else the node counts as lost after 40 s, and its pods as not ready.
    '--node-lease-duration-seconds=40',
    ...['--node-ip=127.0.0.1', '--cidr=10.244.0.0/16', `--server-address=127.0.0.1:${freePort()}`],
  ]);
  await addNode(api);
  const running = opened.move();
  return { api, kubeconfig, stop: () => running.disposeAsync() };
}

/** A process of the cluster's. What it prints is of no interest while it runs. */
export const spawnPart = (command: string[], environment: Record<string, string> = {}): Child =>
  spawnCommand(command, { ...partEnvironment(), ...environment }, { onLine() {}, limitMs: 10_000 });

/** The same user, in the namespace in which Argo CD looks for itself. */
export async function kubeconfigIn(namespace: string, { kubeconfig }: Cluster, folder: string): Promise<string> {
  const file = join(folder, `kubeconfig-${namespace}`);
  const text = await readFile(kubeconfig, 'utf8');
  await writeFile(file, text.replace('namespace: default', `namespace: ${namespace}`), { mode: 0o600 });
  return file;
}

async function addNode(api: KubeApi): Promise<void> {
  const room = { cpu: '32', memory: '64Gi', pods: '250' };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: NODE,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'kubernetes.io/hostname': NODE, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
    status: { allocatable: room, capacity: room },
  };
  await api.request('POST', '/api/v1/nodes', node);
  type Node = { status: { conditions?: { type: string; status: string }[] } };
  const isReady = async () => {
    const { status } = await api.request<Node>('GET', `/api/v1/nodes/${NODE}`);
    return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  };
  await eventually(isReady, { ms: READY_MS, everyMs: 100, what: 'the node to be ready' });
}
