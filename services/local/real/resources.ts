import { Database } from 'bun:sqlite';
import { Glob } from 'bun';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Topic } from './kafka-wire.ts';

const gitops = join(import.meta.dir, '../../../gitops');
const DAPR = join(gitops, 'base/dapr');

type Manifest = { kind: string; metadata: { name: string }; spec: Record<string, unknown> };
type Patch = (manifest: Manifest) => Manifest;

/**
 * The manifests of `gitops/base/dapr`, or of the folder `from`, as daprd reads them from files, changed only as an overlay may, and each in a file
 * of its own: from files daprd ignores a Resiliency that shares one. The Configuration is given by its path.
 */
export async function writeResources(folder: string, { broker, from = DAPR }: { broker: string; from?: string }) {
  const [resources, configuration] = [join(folder, 'resources'), join(folder, 'configuration.yaml')];
  await mkdir(resources, { recursive: true, mode: 0o700 });
  const patches: Record<string, Patch> = {
    Component: withBroker(broker),
    Configuration: withNames(join(folder, 'names.db')),
  };
  for (const manifest of await manifests(from, '*.yaml')) {
    const { kind, metadata } = manifest;
    const file = kind === 'Configuration' ? configuration : join(resources, `${kind}-${metadata.name}.yaml`);
    await writeFile(file, Bun.YAML.stringify(patches[kind]?.(manifest) ?? manifest, null, 2));
  }
  return { resources, configuration };
}

/** The topics of `gitops/data/base`, as Strimzi creates them in a cluster. */
export async function topicsOfManifests(): Promise<Topic[]> {
  return (await manifests(gitops, 'data/base/topics.yaml')).map(({ metadata, spec }) => {
    const { partitions, config } = spec as { partitions: number; config: { 'retention.ms': number } };
    return { name: metadata.name, partitions, retentionMs: config['retention.ms'] };
  });
}

async function manifests(folder: string, pattern: string): Promise<Manifest[]> {
  const files = await Array.fromAsync(new Glob(pattern).scan({ cwd: folder, absolute: true }));
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

/**
 * Without a cluster's DNS the sidecars find each other in a file that they share. They open it all at once, and daprd
 * goes on without a name, with no more than a line in its log, when it waited for the others in vain: so nobody waits
 * for a disk, and patience is longer than Dapr's 0.8 s. Its clean-up deletes the names of those that run (1.18).
 */
function withNames(file: string): Patch {
  // The first to open it would have to change the journal's mode, for which SQLite waits for nobody.
  using names = new Database(file);
  names.run('PRAGMA journal_mode = WAL');
  // SQLite takes a URL, and daprd puts in variables of its environment wherever a $ stands.
  const connectionString = `${pathToFileURL(file).href.replaceAll('$', '%24')}?_pragma=synchronous(OFF)`;
  const patience = { timeout: '3s', busyTimeout: '2500ms', cleanupInterval: '0s' };
  const nameResolution = {
    component: 'sqlite',
    version: 'v1',
    configuration: { connectionString, ...patience },
  };
  return ({ spec, ...configuration }) => ({ ...configuration, spec: { ...spec, nameResolution } });
}
