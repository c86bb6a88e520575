import { deployments, type KubeObject, ofKind, type Resources } from './objects.ts';

/** In cores and MiB. */
export type Sum = { cpu: number; memory: number };

/** By which key of a Dapr annotation the injected container asks. */
const SIDECAR = { cpu: 'dapr.io/sidecar-cpu-request', memory: 'dapr.io/sidecar-memory-request' };

/**
 * What an environment asks of its nodes: each pod with its sidecar, what operators make of their own objects (Kafka, Postgres,
 * Envoy), and the operators by their values.
 */
export function requestsOf(objects: KubeObject[], values: object[]): Sum {
  const ofPods = deployments(objects).flatMap(({ object, pod, annotations }) => {
    const { [SIDECAR.cpu]: cpu, [SIDECAR.memory]: memory } = annotations;
    const sidecar = cpu && memory ? [{ cpu, memory }] : [];
    const each = [...pod.containers.map(({ resources }) => resources?.requests ?? {}), ...sidecar];
    return Array.from({ length: object.spec.replicas ?? 1 }, () => each).flat();
  });
  const made = ofKind(objects, 'Kafka', 'KafkaNodePool', 'Cluster', 'EnvoyProxy');
  return [...ofPods, ...[...made, ...values].flatMap((one) => requestsBelow(one))].reduce<Sum>(
    (sum, { cpu = '0', memory = '0' }) => ({
      cpu: Math.round((sum.cpu + cores(cpu)) * 1000) / 1000,
      memory: sum.memory + mebibytes(memory),
    }),
    { cpu: 0, memory: 0 },
  );
}

/** All requests below a value, as often as the `replicas`, `instances` or `replicaCount` around them say. */
function requestsBelow(value: unknown, times = 1): Record<string, string>[] {
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Record<string, unknown>;
  const { requests } = (fields['resources'] ?? {}) as Resources;
  const count = Number(fields['replicas'] ?? fields['instances'] ?? fields['replicaCount'] ?? times);
  const own = requests ? Array.from({ length: count }, () => requests) : [];
  return [
    ...own,
    ...Object.entries(fields).flatMap(([key, inner]) => (key === 'resources' ? [] : requestsBelow(inner, count))),
  ];
}

const cores = (text: string): number => (text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : Number(text));

function mebibytes(text: string): number {
  const [, count, unit] = /^(\d+)(Ki|Mi|Gi)?$/.exec(text) ?? [];
  const factors = { Ki: 1 / 1024, Mi: 1, Gi: 1024 };
  return Number(count) * (unit ? factors[unit as keyof typeof factors] : 1 / 1_048_576);
}
