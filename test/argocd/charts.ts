import { $, Glob } from 'bun';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../services/local/machine/port.ts';
import type { KubeApi } from '../gitops/kube-api.ts';
import { render } from '../gitops/render.ts';
import { loadSchemas, type Schemas } from '../gitops/schemas.ts';
import { moduleFolder, modules } from '../gitops/sources.ts';
import type { ArgoPrograms } from './programs.ts';
import { identity, type Repository } from './repository.ts';

type Source = { repoURL: string; targetRevision: string; chart?: string; directory?: { include?: string } };
type Application = { spec: { source?: Source; sources?: Source[] } };

export type Charts = {
  /** Where each address of an Application leads here. */
  addresses: Map<string, string>;
  stop(): Promise<void>;
};

/** The chart that a module carries whole. */
const OWN = 'dapr';

/**
 * Serves, as Helm repositories on the loopback, every chart that an Application of the environment names: Dapr's own, and in
 * place of each other one Deployment of no content. What its operator defines is in the cluster already: see `definitions`.
 */
export async function serveCharts(serving: Serving): Promise<Charts> {
  const { folder, programs, say } = serving;
  const sources = await sourcesOf(serving);
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: freePort(),
    fetch: ({ url }) => new Response(Bun.file(join(folder, new URL(url).pathname))),
  });
  const addresses = new Map<string, string>();
  for (const source of sources) {
    const { chart, targetRevision: version, directory, repoURL } = source;
    if (chart === OWN) await packOwn(folder, { chart, version, modules: programs.modules });
    else if (chart) await writeStandIn(folder, { chart, version });
    if (chart) say(`${chart} ${version}: ${chart === OWN ? 'its own chart' : 'a Deployment in place of its chart'}`);
    if (chart) addresses.set(repoURL, `${server.url.origin}/${chart}`);
    else if (directory?.include) addresses.set(repoURL, await serveOperator(source, serving));
  }
  return { addresses, stop: () => server.stop(true) };
}

/**
 * Gives the cluster the definitions of the operators whose chart is a stand-in. Before Argo CD starts, since that reads all
 * definitions anew at each change of one, which takes longer here than anything else.
 */
export async function loadDefinitions(
  api: KubeApi,
  {
    tree,
    environment,
    programs: { kustomize },
    schemas,
  }: Pick<Serving, 'tree' | 'environment' | 'programs' | 'schemas'>,
): Promise<void> {
  const folders = [`overlays/${environment}`, `data/overlays/${environment}`, `platform/envoy-gateway/${environment}`];
  const all = await Promise.all([...folders, 'observability'].map((path) => render(kustomize, join(tree, path))));
  await loadSchemas(
    api,
    schemas,
    all.flat().filter(({ apiVersion }) => !apiVersion.startsWith('dapr.io/')),
  );
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

/** In place of an operator's repository: of its file there is a Deployment. @returns its address here */
async function serveOperator({ targetRevision, directory }: Source, { git }: Serving): Promise<string> {
  const clone = join(git.folder, 'operator-clone');
  await Bun.write(join(clone, 'releases', directory?.include ?? ''), JSON.stringify(operatorOf('operator')));
  const bare = join(git.folder, 'operator.git');
  const env = { ...process.env, ...identity };
  await $`git init -q -b main && git add -A && git commit -qm release && git tag ${targetRevision}`.cwd(clone).env(env);
  await $`git clone -q --bare ${clone} ${bare}`.env(env);
  return `${git.url}/operator.git`;
}

async function writeStandIn(folder: string, { chart, version }: { chart: string; version: string }): Promise<void> {
  const made = join(folder, chart, chart);
  await Bun.write(join(made, 'templates/operator.yaml'), JSON.stringify(operatorOf(chart)));
  await Bun.write(join(made, 'Chart.yaml'), JSON.stringify({ apiVersion: 'v2', name: chart, version }));
  await pack(join(folder, chart), { chart, version });
}

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
