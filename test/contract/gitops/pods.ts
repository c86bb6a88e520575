import {
  called,
  type Container,
  type KubeObject,
  type Policy,
  type PodSpec,
  type Workload,
  workloads,
} from './objects.ts';
import { environmentOf } from './settings.ts';

/** What each pod owes to the node it runs on: restricted Pod Security and no more than it needs, as the API server alone would not ask. */
export const pods: Policy = (objects) =>
  workloads(objects).flatMap((workload) => {
    const { object, pod, labels } = workload;
    return [
      ...(labels['app.kubernetes.io/name'] === object.metadata.name
        ? []
        : ['the label app.kubernetes.io/name of its pods must be its own name']),
      ...identity(pod),
      ...pod.containers.flatMap((container) => [
        ...confinement(container),
        ...(object.kind === 'Deployment' ? [...probes(container), ...ending(workload, container, objects)] : []),
      ]),
      ...(object.kind === 'Job' && !object.spec.activeDeadlineSeconds
        ? ['activeDeadlineSeconds is missing: a hook that hangs keeps every later sync waiting']
        : []),
    ].map((reason) => `${called(object)}: ${reason}`);
  });

function identity({ securityContext, automountServiceAccountToken, serviceAccountName }: PodSpec): string[] {
  return [
    ...(securityContext?.runAsNonRoot && securityContext.runAsUser
      ? []
      : ['must run as a user by number, not as root']),
    ...(securityContext?.seccompProfile?.type === 'RuntimeDefault' ? [] : ['seccompProfile must be RuntimeDefault']),
    ...(automountServiceAccountToken === false ? [] : ['automountServiceAccountToken must be false']),
    ...(serviceAccountName ? [] : ['serviceAccountName is missing: default is everybody’s']),
  ];
}

function confinement({ name, securityContext, resources }: Container): string[] {
  const { requests = {}, limits = {} } = resources ?? {};
  return [
    ...(securityContext?.allowPrivilegeEscalation === false ? [] : ['allowPrivilegeEscalation must be false']),
    ...(securityContext?.readOnlyRootFilesystem ? [] : ['readOnlyRootFilesystem must be true']),
    ...(securityContext?.capabilities?.drop?.includes('ALL') ? [] : ['capabilities must drop ALL']),
    ...(requests['cpu'] && requests['memory'] ? [] : ['requests of cpu and memory are missing']),
    ...(limits['memory'] ? [] : ['a limit of memory is missing']),
    ...(limits['cpu'] ? ['a limit of cpu throttles, which people feel as latency'] : []),
  ].map((reason) => `container ${name}: ${reason}`);
}

/** The paths of CONTRACT 2. Liveness that looked at a dependency would restart every pod when the database is away. */
function probes({ name, readinessProbe, livenessProbe }: Container): string[] {
  const wrong = (kind: string, path: string, probe: Container['readinessProbe']) =>
    probe?.httpGet?.path === path && probe.httpGet.port === 'http'
      ? []
      : [`container ${name}: the ${kind} probe must ask ${path} at port http, got ${probe?.httpGet?.path ?? 'none'}`];
  return [...wrong('readiness', '/health/ready', readinessProbe), ...wrong('liveness', '/health/live', livenessProbe)];
}

/** The longest a shutdown takes once its drain is over (shared/lifecycle.ts). */
const CLOSE_SECONDS = 10;

/** From SIGTERM on, or from the sleep before it, to the last line of its log. */
function ending(workload: Workload, container: Container, objects: KubeObject[]): string[] {
  const { pod, annotations } = workload;
  const { DRAIN_MS = 15_000, DELIVERY_DRAIN_MS = 5000 } = environmentOf(container, objects).environment;
  const drainsMs = [Number(DELIVERY_DRAIN_MS), container.name === 'notification-service' ? Number(DRAIN_MS) : 0];
  const asleep = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
  const sidecar = Number(annotations['dapr.io/graceful-shutdown-seconds'] ?? 5);
  const needed = Math.max(asleep + Math.max(...drainsMs) / 1000 + CLOSE_SECONDS, sidecar);
  const given = pod.terminationGracePeriodSeconds ?? 30;
  return given >= needed ? [] : [`terminationGracePeriodSeconds must be ${needed} or more, got ${given}`];
}
