import { Glob } from 'bun';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PUBSUB } from '#shared/events';

const base = join(import.meta.dir, '../../gitops/base/dapr');

type Manifest = { kind: string; metadata: { name: string }; spec: Record<string, unknown> };
type Patch = (manifest: Manifest) => Manifest;

/**
 * The manifests of `gitops/base/dapr` as daprd reads them from files, changed only as an overlay may, and each in a file
 * of its own: from files daprd ignores a Resiliency that shares one. The Configuration is given by its path.
 */
export async function writeResources(folder: string, { broker }: { broker: string }) {
  const [resources, configuration] = [join(folder, 'resources'), join(folder, 'configuration.yaml')];
  await mkdir(resources, { recursive: true });
  const patches: Record<string, Patch> = {
    Component: withBroker(broker),
    Configuration: withNames(join(folder, 'names.db')),
  };
  for (const manifest of await manifests()) {
    const { kind, metadata } = manifest;
    const file = kind === 'Configuration' ? configuration : join(resources, `${kind}-${metadata.name}.yaml`);
    await writeFile(file, Bun.YAML.stringify(patches[kind]?.(manifest) ?? manifest, null, 2));
  }
  return { resources, configuration };
}

/** Every topic that the component protects: all there are. */
export async function topicsOfManifests(): Promise<string[]> {
  const component = (await manifests()).find(({ kind, metadata }) => kind === 'Component' && metadata.name === PUBSUB);
  const metadata = (component?.spec.metadata ?? []) as { name: string; value: string }[];
  const topics = metadata.find(({ name }) => name === 'protectedTopics')?.value ?? '';
  return topics.split(',').map((topic) => topic.trim());
}

async function manifests(): Promise<Manifest[]> {
  const files = await Array.fromAsync(new Glob('*.yaml').scan({ cwd: base, absolute: true }));
  const contents = await Promise.all(files.map((file) => Bun.file(file).text()));
  return contents.flatMap((content) => Bun.YAML.parse(content) as Manifest | Manifest[]);
}

function withBroker(broker: string): Patch {
  return ({ spec, ...component }) => {
    const metadata = spec.metadata as { name: string; value: string }[];
    const replaced = metadata.map((item) => (item.name === 'brokers' ? { ...item, value: broker } : item));
    return { ...component, spec: { ...spec, metadata: replaced } };
  };
}

/** Without a cluster's DNS the sidecars find each other in a file that they share. */
function withNames(file: string): Patch {
  const nameResolution = { component: 'sqlite', version: 'v1', configuration: { connectionString: file } };
  return ({ spec, ...configuration }) => ({ ...configuration, spec: { ...spec, nameResolution } });
}
