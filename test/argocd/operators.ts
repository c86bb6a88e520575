import type { KubeApi } from '../gitops/kube-api.ts';
import { repeat } from './loop.ts';

type KubernetesObject = {
  metadata: { name: string; namespace: string; uid: string; generation?: number };
  spec?: Record<string, unknown>;
  status?: object;
};
type StandIn = {
  /** Whose work it does. */
  operator: string;
  /** Where the objects are, for all namespaces. */
  list: string;
  status: (object: KubernetesObject) => object;
};

const EVERY_MS = 500;
/** Any time will do, as long as it is always the same. */
const NOW = new Date().toISOString();

const condition = (type: string, { metadata: { generation = 1 } }: KubernetesObject, reason = type) => ({
  ...{ type, status: 'True', reason, message: 'set by a stand-in', lastTransitionTime: NOW },
  observedGeneration: generation,
});
const ready = (object: KubernetesObject) => ({ conditions: [condition('Ready', object)] });
const plain = (object: KubernetesObject) => ({
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: NOW }],
  observedGeneration: object.metadata.generation ?? 1,
});

/** Operators that no registry gives, and what they say of an object that has all it needs. Argo CD's own rules read that. */
const standIns: StandIn[] = [
  { operator: 'Strimzi', list: '/apis/kafka.strimzi.io/v1/kafkas', status: plain },
  { operator: 'Strimzi', list: '/apis/kafka.strimzi.io/v1/kafkatopics', status: plain },
  { operator: 'Strimzi', list: '/apis/kafka.strimzi.io/v1/kafkausers', status: plain },
  {
    operator: 'CloudNativePG',
    list: '/apis/postgresql.cnpg.io/v1/clusters',
    status: (object) => ({ phase: 'Cluster in healthy state', conditions: [condition('Ready', object)] }),
  },
  { operator: 'cert-manager', list: '/apis/cert-manager.io/v1/issuers', status: ready },
  { operator: 'cert-manager', list: '/apis/cert-manager.io/v1/certificates', status: ready },
  {
    operator: 'Envoy Gateway',
    list: '/apis/gateway.networking.k8s.io/v1/gatewayclasses',
    status: (object) => ({ conditions: [condition('Accepted', object)] }),
  },
  {
    operator: 'Envoy Gateway',
    list: '/apis/gateway.networking.k8s.io/v1/gateways',
    status: (object) => ({ conditions: [condition('Accepted', object), condition('Programmed', object)] }),
  },
  {
    operator: 'Envoy Gateway',
    list: '/apis/gateway.networking.k8s.io/v1/httproutes',
    status: (object) => ({
      parents: (object.spec?.['parentRefs'] as object[]).map((parentRef) => ({
        parentRef,
        controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
        conditions: [condition('Accepted', object), condition('ResolvedRefs', object)],
      })),
    }),
  },
  {
    operator: 'External Secrets',
    list: '/apis/external-secrets.io/v1/externalsecrets',
    status: () => ({
      conditions: [{ type: 'Ready', status: 'True', reason: 'SecretSynced', lastTransitionTime: NOW }],
    }),
  },
  {
    operator: 'the autoscaler with its metrics',
    list: '/apis/autoscaling/v2/horizontalpodautoscalers',
    status: (object) => ({
      currentReplicas: object.spec?.['minReplicas'],
      desiredReplicas: object.spec?.['minReplicas'],
      conditions: ['AbleToScale', 'ScalingActive'].map((type) => ({
        ...{ type, status: 'True', reason: 'ReadyForNewScale', lastTransitionTime: NOW },
      })),
    }),
  },
];

/** Says of every object, also of a changed one, what its operator would, and tells of each the first time. */
export function startOperators(api: KubeApi, say: (line: string) => void): { stop(): Promise<void> } {
  // An object that was deleted and made again is another.
  const seen = new Map<string, string>();
  const setOne = async ({ operator, list, status }: StandIn, object: KubernetesObject) => {
    const { name, namespace, uid, generation = 1 } = object.metadata;
    const version = `${uid} ${generation}`;
    const [root, resource = ''] = [list.slice(0, list.lastIndexOf('/')), list.split('/').at(-1)];
    const path = namespace ? `${root}/namespaces/${namespace}/${resource}/${name}` : `${list}/${name}`;
    if (seen.get(path) === version) return;
    await api.setStatus(path, status(object));
    if (!seen.has(path)) say(`${resource}/${name}: its status is set in place of ${operator}`);
    seen.set(path, version);
  };
  const setAll = async () => {
    for (const standIn of standIns) {
      const found = await api.find<{ items: KubernetesObject[] }>(standIn.list);
      for (const object of found?.items ?? []) await setOne(standIn, object);
    }
  };
  return repeat(setAll, { everyMs: EVERY_MS, say });
}
