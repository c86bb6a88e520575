import { Glob } from 'bun';
import { join } from 'node:path';
import type { KubeApi, KubeObject } from './kube-api.ts';
import type { GitopsParts } from './parts.ts';
import { moduleFolder, modules } from './sources.ts';

/** One CustomResourceDefinition, and in whose words. */
type Schema = { crd: KubeObject; from: string };
type Definition = { spec: { group: string; names: { kind: string }; versions: { name: string; served: boolean }[] } };

/** By `apiVersion kind`. */
export type Schemas = Map<string, Schema>;

const ESTABLISHED_MS = 30_000;

/** Every definition at hand: those that projects publish, Strimzi's of its classes, and of ours what no registry gives. */
export async function readSchemas(parts: Pick<GitopsParts, 'modules' | 'strimzi'>): Promise<Schemas> {
  const published = modules.map((module) => ({
    from: `${module.name} ${module.version.slice(1)}`,
    files: { cwd: join(parts.modules, moduleFolder(module)), pattern: module.crds },
  }));
  const all = [
    ...published,
    { from: `Strimzi ${await strimziVersion()}, generated`, files: { cwd: parts.strimzi, pattern: '*.yaml' } },
    { from: 'a strict schema of ours', files: { cwd: join(import.meta.dir, 'schemas'), pattern: '*.yaml' } },
  ];
  const schemas: Schemas = new Map();
  for (const { from, files } of all) {
    for await (const file of new Glob(files.pattern).scan({ cwd: files.cwd, absolute: true })) {
      for (const crd of definitions(await Bun.file(file).text())) {
        const { group, names, versions } = (crd as KubeObject & Definition).spec;
        for (const { name, served } of versions)
          if (served) schemas.set(`${group}/${name} ${names.kind}`, { crd, from });
      }
    }
  }
  return schemas;
}

async function strimziVersion(): Promise<string> {
  const pom = await Bun.file(join(import.meta.dir, 'strimzi/pom.xml')).text();
  return /<strimzi\.version>(.+?)</.exec(pom)?.[1] ?? '';
}

/** Without labels: cert-manager's are templates of its chart. */
function definitions(text: string): KubeObject[] {
  const documents = [Bun.YAML.parse(text)].flat() as (KubeObject | null)[];
  return documents
    .filter((document) => document !== null)
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map(({ apiVersion, kind, metadata: { name, annotations }, spec }) => ({
      apiVersion,
      kind,
      metadata: { name, ...(annotations && { annotations }) },
      spec,
    }));
}

/** Gives the server the definitions that these objects are of, no more: all of them would cost it a gigabyte. */
export async function loadSchemas(api: KubeApi, schemas: Schemas, objects: KubeObject[]): Promise<void> {
  const kinds = [...new Set(objects.map(kindOf))].filter((kind) => schemas.has(kind));
  await Promise.all(
    [...new Set(kinds.map((kind) => schemas.get(kind)?.crd))].map(async (crd) => {
      const { refusal } = crd ? await api.apply(crd) : {};
      if (refusal) throw new Error(`${crd?.metadata.name}: ${refusal}`);
    }),
  );
  const deadline = performance.now() + ESTABLISHED_MS;
  for (const kind of kinds) {
    const [apiVersion = '', name = ''] = kind.split(' ');
    while (!(await api.knows(apiVersion, name))) {
      if (performance.now() > deadline)
        throw new Error(`the API server does not serve ${kind} within ${ESTABLISHED_MS} ms`);
      await Bun.sleep(50);
    }
  }
}

/** Whose definition an object is of, if not Kubernetes' own. */
export const definedBy = (schemas: Schemas, object: KubeObject): string | undefined =>
  schemas.get(kindOf(object))?.from;

const kindOf = ({ apiVersion, kind }: KubeObject) => `${apiVersion} ${kind}`;
