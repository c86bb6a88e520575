import { called, type KubeObject, type Labels, ofKind, type Policy, selects, workloads } from './objects.ts';

/** Of what no manifest of ours makes: an operator does, from what stands in gitops/data, or `gitops:secrets`, or the store of a cloud. */
const secretsElsewhere = [
  ...['taskflow-postgres-app', 'database-urls', 'taskflow-cluster-ca-cert'],
  ...['jwt', 'app-api-token', 'dapr-api-token', 'service-token', 'audit-seal-key'],
];

type Selecting = { selector: Labels | { matchLabels?: Labels } };
type Targeting = { scaleTargetRef?: Target; workloadRef?: Target; strategy?: { blueGreen?: Record<string, unknown> } };
type Target = { kind: string; name: string };

/** Whatever one object names in another is there. */
export const references: Policy = (objects) => [...ofSelectors(objects), ...ofTargets(objects), ...ofPods(objects)];

const ofSelectors: Policy = (objects) => {
  const labels = workloads(objects).map((workload) => workload.labels);
  return ofKind<Selecting>(objects, 'Service', 'PodDisruptionBudget', 'Deployment').flatMap((object) => {
    if (object.kind === 'Deployment' && !object.spec.selector) return [];
    const { selector } = object.spec;
    const wanted = 'matchLabels' in selector ? (selector.matchLabels as Labels) : (selector as Labels);
    return labels.some((own) => selects(wanted, own)) ? [] : [`${called(object)}: its selector finds no pod`];
  });
};

const ofTargets: Policy = (objects) => {
  const isThere = ({ kind, name }: Target) =>
    objects.some((object) => object.kind === kind && object.metadata.name === name);
  return ofKind<Targeting>(objects, 'HorizontalPodAutoscaler', 'Rollout').flatMap((object) => {
    const { scaleTargetRef, workloadRef, strategy } = object.spec;
    const services = ['activeService', 'previewService'].map((key) => strategy?.blueGreen?.[key]);
    const named: Target[] = [
      ...[scaleTargetRef, workloadRef].filter((target) => target !== undefined),
      ...services.filter((name) => name !== undefined).map((name) => ({ kind: 'Service', name: String(name) })),
    ];
    return [
      ...named.filter((target) => !isThere(target)).map(({ kind, name }) => `${called(object)}: no ${kind}/${name}`),
      ...(scaleTargetRef ? fixedReplicas(objects, scaleTargetRef).map((reason) => `${called(object)}: ${reason}`) : []),
    ];
  });
};

/** Argo CD would put a number in Git back each time that the autoscaler chose another. */
function fixedReplicas(objects: KubeObject[], { kind, name }: Target): string[] {
  const target = ofKind<{ replicas?: number }>(objects, kind).find(({ metadata }) => metadata.name === name);
  return target?.spec.replicas === undefined ? [] : [`${name} has replicas of its own: ${target.spec.replicas}`];
}

const ofPods: Policy = (objects) => {
  const users = ofKind(objects, 'KafkaUser').map(({ metadata }) => metadata.name);
  const known = [...secretsElsewhere, ...users, ...ofKind(objects, 'Secret').map(({ metadata }) => metadata.name)];
  const accounts = ofKind(objects, 'ServiceAccount').map(({ metadata }) => metadata.name);
  return workloads(objects).flatMap(({ object, pod, annotations }) => {
    const fromSecrets = (annotations['dapr.io/env-from-secret'] ?? '').matchAll(/=([\w-]+):/g);
    const secrets = [
      ...pod.containers.flatMap(({ env }) => env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...(pod.volumes ?? []).map(({ secret }) => secret?.secretName),
      ...[...fromSecrets].map(([, name]) => name),
    ].filter((name) => name !== undefined);
    return [
      ...secrets
        .filter((name) => !known.includes(name))
        .map((name) => `${called(object)}: nothing makes Secret ${name}`),
      ...(accounts.includes(pod.serviceAccountName ?? '')
        ? []
        : [`${called(object)}: there is no ServiceAccount ${pod.serviceAccountName}`]),
    ];
  });
};
