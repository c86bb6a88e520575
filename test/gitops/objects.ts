import type { KubeObject } from './kube-api.ts';

/** An object as one or more builds have it. Builds that differ in it have one each. */
export type Rendered = { object: KubeObject; builds: string[] };

/** Each object once, however many builds have it just so. */
export function uniqueObjects(builds: { name: string; objects: KubeObject[] }[]): Rendered[] {
  const found = new Map<string, Rendered>();
  for (const { name, objects } of builds) {
    for (const object of objects) {
      const key = JSON.stringify(object);
      const known = found.get(key);
      if (known) known.builds.push(name);
      else found.set(key, { object, builds: [name] });
    }
  }
  return [...found.values()];
}

/** `Deployment taskflow/chat-api` */
export const called = ({ kind, metadata: { namespace, name } }: KubeObject) =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** The first of the builds, and how many more. */
export const within = ({ builds }: Rendered) =>
  builds.length > 1 ? `${builds[0]} and ${builds.length - 1} more` : `${builds[0]}`;

type Metadata = { labels?: Record<string, string>; annotations?: Record<string, string> };
export type PodTemplate = { metadata?: Metadata; spec: object };

/** What a Deployment, a Job or the like makes pods of. */
export function podTemplateOf({ kind, spec }: KubeObject): PodTemplate | undefined {
  if (!['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'].includes(kind)) return undefined;
  return (spec as { template: PodTemplate }).template;
}
