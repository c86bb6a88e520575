import { type KubeApi, type KubeObject, NAMESPACE } from './kube-api.ts';
import { called, type PodTemplate, podTemplateOf, type Rendered, within } from './objects.ts';
import { definedBy, type Schemas } from './schemas.ts';
import type { Verdict } from './verdict.ts';

/** How many requests are under way at once. */
const AT_ONCE = 8;

/**
 * Lets the API server judge every object as if it were applied, and every pod that would come of one, by the Pod Security of
 * its namespace. A warning refuses it too: a field that is deprecated, a pod that will be refused later.
 */
export async function validateObjects(
  api: KubeApi,
  { rendered, schemas, verdict }: { rendered: Rendered[]; schemas: Schemas; verdict: Verdict },
): Promise<void> {
  await makeRoom(
    api,
    rendered.map(({ object }) => object),
  );
  const { gitVersion } = await api.request<{ gitVersion: string }>('GET', '/version');
  await eachOf(rendered, async (one) => {
    const what = `${called(one.object)} (${within(one)})`;
    const { refusal, warnings } = await api.apply(one.object, { dryRun: true });
    const reasons = [...(refusal ? [refusal] : []), ...warnings];
    const by = [`kube-apiserver ${gitVersion}`, definedBy(schemas, one.object) ?? []].flat().join(', ');
    if (reasons.length > 0) verdict.fail(what, reasons.join('; '));
    else verdict.pass(`${what}: ${by}`);
  });
}

/** What a dry run looks for on the server: namespaces with their labels, and the accounts of pods. */
async function makeRoom(api: KubeApi, objects: KubeObject[]): Promise<void> {
  const declared = objects.filter(({ kind }) => kind === 'Namespace');
  const { items } = await api.request<{ items: KubeObject[] }>('GET', '/api/v1/namespaces');
  const there = [...items, ...declared].map(({ metadata }) => metadata.name);
  const needed = new Set(objects.map(({ metadata }) => metadata.namespace ?? NAMESPACE));
  const bare = [...needed.difference(new Set(there))].map((name): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  const accounts = objects.filter(({ kind }) => kind === 'ServiceAccount');
  for (const group of [[...bare, ...declared], accounts]) {
    await eachOf(group, async (object) => void (await api.apply(object)));
  }
}

/** Whatever makes pods of them, they are pods in the end: only on those Pod Security says no. */
export async function validatePods(api: KubeApi, { rendered, verdict }: { rendered: Rendered[]; verdict: Verdict }) {
  const pods = new Map<string, { what: string; pod: KubeObject }>();
  for (const one of rendered) {
    const template = podTemplateOf(one.object);
    if (!template) continue;
    const pod = podOf(one.object, template);
    pods.set(JSON.stringify(pod), { what: `Pod of ${called(one.object)} (${within(one)})`, pod });
  }
  await eachOf([...pods.values()], async ({ what, pod }) => {
    const { refusal } = await api.tryToCreate(pod);
    if (refusal) verdict.fail(what, refusal);
    else verdict.pass(`${what}: admitted`);
  });
}

export const podOf = ({ metadata: { name, namespace } }: KubeObject, { metadata, spec }: PodTemplate): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, name, ...(namespace && { namespace }) },
  spec,
});

async function eachOf<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
