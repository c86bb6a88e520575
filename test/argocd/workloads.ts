import type { KubeApi } from '../gitops/kube-api.ts';

const NAMESPACE = '/apis/apps/v1/namespaces/taskflow';

type Container = { name: string; image: string; envFrom?: { configMapRef: { name: string } }[] };
export type Deployment = {
  metadata: { name: string; uid: string };
  spec: {
    replicas: number;
    template: { metadata: { annotations?: Record<string, string> }; spec: { containers: Container[] } };
  };
  status: { replicas?: number; availableReplicas?: number; updatedReplicas?: number };
};

/** The five, by app id. */
export async function deployments(api: KubeApi): Promise<Map<string, Deployment>> {
  const { items } = await api.request<{ items: Deployment[] }>('GET', `${NAMESPACE}/deployments`);
  return new Map(items.map((item) => [item.metadata.name, item]));
}

export async function deployment(api: KubeApi, name: string): Promise<Deployment> {
  return api.request<Deployment>('GET', `${NAMESPACE}/deployments/${name}`);
}

/** What the pods of each run: to compare before and after. */
export async function templates(api: KubeApi): Promise<string> {
  const all = [...(await deployments(api)).values()];
  return JSON.stringify(all.map(({ metadata: { name }, spec }) => ({ name, spec })));
}

/** Pods that serve now, by uid. */
export async function runningPods(api: KubeApi): Promise<Set<string>> {
  type Pod = { metadata: { uid: string; deletionTimestamp?: string }; status: { phase: string } };
  const query = new URLSearchParams({
    labelSelector: 'app.kubernetes.io/part-of=taskflow,!batch.kubernetes.io/job-name',
  });
  const { items } = await api.request<{ items: Pod[] }>('GET', `/api/v1/namespaces/taskflow/pods?${query}`);
  const serving = items.filter(({ metadata, status }) => !metadata.deletionTimestamp && status.phase === 'Running');
  return new Set(serving.map(({ metadata }) => metadata.uid));
}

/** @throws when one of these pods is gone */
export async function requirePods(api: KubeApi, pods: Set<string>): Promise<void> {
  const gone = pods.difference(await runningPods(api));
  if (gone.size > 0) throw new Error(`${gone.size} of ${pods.size} pods are gone`);
}
