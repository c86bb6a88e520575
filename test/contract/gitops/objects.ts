/** As much of a Kubernetes object as all of them have. */
export type Identified = {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
};

/** One object as `kustomize build` writes it, as our policies read it. */
export type KubeObject<Spec = object> = Identified & { spec: Spec; data?: Record<string, string> };

/** A rule of ours: one sentence for each object and reason that it refuses, none for a tree that may run. */
export type Policy = (objects: KubeObject[]) => string[];

export type Resources = { requests?: Record<string, string>; limits?: Record<string, string> };
type Reference = { name: string; key?: string; optional?: boolean };
type Probe = { httpGet?: { path: string; port: string | number } };

export type Container = {
  name: string;
  image: string;
  command?: string[];
  ports?: { name?: string; containerPort: number }[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: Reference; configMapKeyRef?: Reference } }[];
  envFrom?: { configMapRef?: Reference; secretRef?: Reference }[];
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  resources?: Resources;
  securityContext?: {
    allowPrivilegeEscalation?: boolean;
    readOnlyRootFilesystem?: boolean;
    capabilities?: { drop?: string[] };
  };
};

export type PodSpec = {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile?: { type: string } };
  containers: Container[];
  volumes?: { name: string; secret?: { secretName: string }; configMap?: Reference }[];
};

/** What a Deployment or a Job makes pods of. */
export type Workload = {
  object: KubeObject<{ replicas?: number; activeDeadlineSeconds?: number; selector?: { matchLabels: Labels } }>;
  labels: Labels;
  annotations: Record<string, string>;
  pod: PodSpec;
};

export type Labels = Record<string, string>;

export const called = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;

export function ofKind<Spec = object>(objects: KubeObject[], ...kinds: string[]): KubeObject<Spec>[] {
  return objects.filter(({ kind }) => kinds.includes(kind)) as KubeObject<Spec>[];
}

export function workloads(objects: KubeObject[]): Workload[] {
  type Template = Workload['object']['spec'] & {
    template: { metadata?: { labels?: Labels; annotations?: Labels }; spec: PodSpec };
  };
  return ofKind<Template>(objects, 'Deployment', 'StatefulSet', 'Job').map((object) => {
    const { metadata, spec } = object.spec.template;
    return { object, labels: metadata?.labels ?? {}, annotations: metadata?.annotations ?? {}, pod: spec };
  });
}

/** Those of TaskFlow's services, by app id. */
export const deployments = (objects: KubeObject[]): Workload[] =>
  workloads(objects).filter(({ object }) => object.kind === 'Deployment');

export const selects = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);
