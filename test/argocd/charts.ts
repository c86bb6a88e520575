import { $, Glob } from 'bun';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../services/local/machine/port.ts';
import type { KubeObject } from '../gitops/kube-api.ts';
import { render } from '../gitops/render.ts';
import type { Schemas } from '../gitops/schemas.ts';
import { moduleFolder, modules } from '../gitops/sources.ts';
import type { ArgoPrograms } from './programs.ts';
import { identity, type Repository } from './repository.ts';

type Source = { repoURL: string; targetRevision: string; chart?: string; directory?: { include?: string } };
type Application = { spec: { source?: Source; sources?: Source[] } };

/** The definitions of which groups a chart brings, whose operator no module carries whole. In its place stands one Deployment. */
const standIns: Record<string, RegExp> = {
  'cert-manager': /cert-manager\.io$/,
  'gateway-helm': /^gateway\.(networking\.k8s|envoyproxy)\.io$/,
  'strimzi-kafka-operator': /strimzi\.io$/,
  'external-secrets': /external-secrets\.io$/,
  'kube-prometheus-stack': /^monitoring\.coreos\.com$/,
};

export type Charts = {
  /** Where each address of an Application leads here. */
  addresses: Map<string, string>;
  stop(): Promise<void>;
};

/**
 * Serves, as Helm repositories on the loopback, every chart that an Application of the environment names: Dapr's own, and
 * stand-ins with the definitions of those kinds that the environment has (all of them would cost the API server a gigabyte).
 */
export async function serveCharts(serving: Serving): Promise<Charts> {
  const { folder, tree, environment, programs, schemas, say } = serving;
  const kinds = await kindsOf(tree, { environment, programs });
  const needed = unique([...schemas].filter(([kind]) => kinds.has(kind)).map(([, { crd }]) => crd));
  const sources = await sourcesOf(serving);
  for (const { chart = '', targetRevision: version } of sources.filter((source) => source.chart)) {
    const groups = standIns[chart];
    const crds = needed.filter((crd) => groups?.test(groupOf(crd)));
    if (groups) await writeStandIn(folder, { chart, version, crds });
    else await packOwn(folder, { chart, version, modules: programs.modules });
    say(`${chart} ${version}: ${groups ? `a stand-in with ${crds.length} definitions` : 'its own chart'}`);
  }
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: freePort(),
    fetch: ({ url }) => new Response(Bun.file(join(folder, new URL(url).pathname))),
  });
  const addresses = new Map<string, string>();
  for (const source of sources) {
    if (source.chart) addresses.set(source.repoURL, `${server.url.origin}/${source.chart}`);
    else if (source.directory?.include) addresses.set(source.repoURL, await serveOperator(source, serving));
  }
  return { addresses, stop: () => server.stop(true) };
}

/** Of all Applications of the environment. */
async function sourcesOf({ tree, environment, programs: { kustomize } }: Serving): Promise<Source[]> {
  const objects = await render(kustomize, join(tree, 'apps/overlays', environment));
  const all = objects.filter(({ kind }) => kind === 'Application') as unknown as Application[];
  return all.flatMap(({ spec: { source, sources = [] } }) => [...sources, ...(source ? [source] : [])]);
}

type Serving = {
  folder: string;
  tree: string;
  environment: string;
  programs: ArgoPrograms;
  schemas: Schemas;
  /** Where bare repositories are served from. */
  git: { folder: string; url: string };
  say: (line: string) => void;
};

/** `apiVersion kind` of all that Applications of the tree would apply. */
async function kindsOf(
  tree: string,
  { environment, programs: { kustomize } }: { environment: string; programs: ArgoPrograms },
): Promise<Set<string>> {
  const folders = [`overlays/${environment}`, `data/overlays/${environment}`, `platform/envoy-gateway/${environment}`];
  const all = await Promise.all([...folders, 'observability'].map((path) => render(kustomize, join(tree, path))));
  return new Set(all.flat().map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
}

/** The repository of CloudNativePG, of which there is the one definition of ours, and a Deployment. @returns its address here */
async function serveOperator({ targetRevision, directory }: Source, { schemas, git }: Serving): Promise<string> {
  const clone = join(git.folder, 'operator-clone');
  const documents = [schemas.get('postgresql.cnpg.io/v1 Cluster')?.crd, operatorOf('cnpg')];
  const file = join(clone, 'releases', directory?.include ?? '');
  await Bun.write(file, documents.map((document) => JSON.stringify(document)).join('\n---\n'));
  const bare = join(git.folder, 'operator.git');
  const env = { ...process.env, ...identity };
  await $`git init -q -b main && git add -A && git commit -qm release && git tag ${targetRevision}`.cwd(clone).env(env);
  await $`git clone -q --bare ${clone} ${bare}`.env(env);
  return `${git.url}/operator.git`;
}

const groupOf = (crd: KubeObject) => (crd as KubeObject & { spec: { group: string } }).spec.group;
const unique = (crds: KubeObject[]) => [...new Map(crds.map((crd) => [crd.metadata.name, crd])).values()];

async function writeStandIn(
  folder: string,
  { chart, version, crds }: { chart: string; version: string; crds: KubeObject[] },
): Promise<void> {
  const made = join(folder, chart, chart);
  await mkdir(join(made, 'crds'), { recursive: true });
  for (const crd of crds) await Bun.write(join(made, 'crds', `${crd.metadata.name}.yaml`), JSON.stringify(crd));
  await Bun.write(join(made, 'templates/operator.yaml'), JSON.stringify(operatorOf(chart)));
  await Bun.write(join(made, 'Chart.yaml'), JSON.stringify({ apiVersion: 'v2', name: chart, version }));
  await pack(join(folder, chart), { chart, version });
}

/** Its pod comes after the definitions: Argo CD hears of that, and of a definition alone it does not. */
const operatorOf = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { name } },
    template: { metadata: { labels: { name } }, spec: { containers: [{ name, image: 'stand-in:1' }] } },
  },
});

/** In its repository it has the version and the images of the day: a release writes its own there. */
async function packOwn(
  folder: string,
  { chart, version, modules: files }: { chart: string; version: string; modules: string },
): Promise<void> {
  const module = modules.find(({ name }) => name.toLowerCase() === chart);
  if (!module) throw new Error(`no module has the chart ${chart}, and it has no stand-in`);
  const made = join(folder, chart, chart);
  await cp(join(files, moduleFolder(module), 'charts', chart), made, { recursive: true });
  const released = async (file: string, from: RegExp, to: string) =>
    Bun.write(join(made, file), (await Bun.file(join(made, file)).text()).replace(from, to));
  await released('Chart.yaml', /^version: .*$/m, `version: ${version}`);
  await released('values.yaml', /^ {2}tag: .*$/m, `  tag: ${version}`);
  await pack(join(folder, chart), { chart, version });
}

/** Makes the folder of a chart an archive, and what is around it a repository of it. */
async function pack(repository: string, { chart, version }: { chart: string; version: string }): Promise<void> {
  const archive = `${chart}-${version}.tgz`;
  await $`tar -czf ${archive} ${chart}`.cwd(repository);
  const entry = { apiVersion: 'v2', name: chart, version, urls: [archive] };
  await Bun.write(join(repository, 'index.yaml'), JSON.stringify({ apiVersion: 'v1', entries: { [chart]: [entry] } }));
}

/** Lets the Applications of a repository read from here what they would have from elsewhere. The rest of them is as it was. */
export async function redirect(repository: Repository, addresses: Map<string, string>): Promise<void> {
  const cwd = join(repository.folder, 'gitops/apps');
  for await (const file of new Glob('**/*.yaml').scan({ cwd, absolute: true })) {
    const text = await Bun.file(file).text();
    const changed = [...addresses].reduce((all, [from, to]) => all.replaceAll(from, to), text);
    if (changed !== text) await Bun.write(file, changed);
  }
}
