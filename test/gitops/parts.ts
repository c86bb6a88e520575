import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, cacheFolder, sweepAbandoned } from '../../services/local/machine/cache.ts';
import { requireTools, runTool } from '../../services/local/real/tools.ts';
import { collectModules, generateStrimzi, modules } from './sources.ts';

/** The programs and files that the checks of `gitops/` need, built and ready. */
export type GitopsParts = Programs & {
  /** Dapr's sidecar injector. */
  injector: string;
  promtool: string;
  /** Of each module a folder: its CRDs, charts and install files. */
  modules: string;
  /** Folder of Strimzi's CRDs. */
  strimzi: string;
};
type Programs = { etcd: string; apiServer: string; kustomize: string; helm: string };
type Say = (line: string) => void;

const PROMTOOL = 'v0.316.0'; // Prometheus 3.16

const source = (name: string) => join(import.meta.dir, name);
const settings = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' };
const small = ['-trimpath', '-ldflags', '-s -w'];

/**
 * Builds and gathers all of it in a cache outside the repository, each part keyed by what it is made of: a quarter of an hour
 * at the first call, milliseconds later.
 * @throws {Refusal} when Go, Java or Maven is missing or too old
 */
export async function gitopsParts(say: Say): Promise<GitopsParts> {
  const { javaVersion } = requireTools(source('tools'), 'The parts of check:gitops');
  const cache = cacheFolder();
  await sweepAbandoned(cache, Date.now());
  // What only waits for a registry runs beside what needs all cores, and builds one after another: each uses them all.
  const gathered = Promise.all([
    cached(cache, 'gitops-modules', { sources: [], also: JSON.stringify(modules) }, (folder) =>
      collectModules(folder, say),
    ),
    cached(cache, 'gitops-strimzi', { sources: [source('strimzi/pom.xml')] }, (folder) =>
      generateStrimzi(folder, { pom: source('strimzi/pom.xml'), javaVersion, say }),
    ),
  ]);
  const programs = await buildPrograms(cache, say);
  const injector = await buildInjector(cache, say);
  const promtool = await buildPromtool(cache, say);
  const [files, strimzi] = await gathered;
  return { ...programs, injector, promtool, modules: files, strimzi };
}

/** All of one module, so that they share what they are compiled of. tools/go.mod says which versions. */
async function buildPrograms(cache: string, say: Say): Promise<Programs> {
  const [, kubernetes = ''] = /k8s.io\/kubernetes v(\S+)/.exec(await Bun.file(source('tools/go.mod')).text()) ?? [];
  const [major, minor] = kubernetes.split('.');
  const version = 'k8s.io/component-base/version.git';
  // Without these it calls itself v0.0.0-master, which clients cannot parse.
  const said = [`Version=v${kubernetes}`, `Major=${major}`, `Minor=${minor}`].map((each) => `-X ${version}${each}`);
  const flags = ['-trimpath', '-ldflags', ['-s -w', ...said].join(' ')];
  const packages = [
    'k8s.io/kubernetes/cmd/kube-apiserver',
    'go.etcd.io/etcd/server/v3',
    'sigs.k8s.io/kustomize/kustomize/v5',
    'helm.sh/helm/v3/cmd/helm',
  ];
  const sources = ['tools/go.mod', 'tools/go.sum'].map(source);
  const key = { sources, also: JSON.stringify([settings, flags, packages]) };
  const folder = await cached(cache, 'gitops-programs', key, async (building) => {
    const command = ['go', 'build', '-v', ...flags, '-o', `${building}/`, ...packages];
    await build('Kubernetes', command, { cwd: source('tools'), say });
    await rename(join(building, 'server'), join(building, 'etcd'));
  });
  const [etcd = '', apiServer = '', kustomize = '', helm = ''] = ['etcd', 'kube-apiserver', 'kustomize', 'helm'].map(
    (name) => join(folder, name),
  );
  return { etcd, apiServer, kustomize, helm };
}

async function buildInjector(cache: string, say: Say): Promise<string> {
  const sources = ['injector/main.go', 'injector/go.mod', 'injector/go.sum'].map(source);
  const key = { sources, also: JSON.stringify([settings, small]) };
  const folder = await cached(cache, 'gitops-injector', key, (building) =>
    build('Dapr', ['go', 'build', '-v', ...small, '-o', `${building}/`, '.'], { cwd: source('injector'), say }),
  );
  return join(folder, 'injector');
}

/** In a module of its own, as its own go.mod has it. Without the clouds it can discover, which would double the time. */
async function buildPromtool(cache: string, say: Say): Promise<string> {
  const install = [...small, '-tags', 'remove_all_sd', `github.com/prometheus/prometheus/cmd/promtool@${PROMTOOL}`];
  const folder = await cached(cache, 'gitops-promtool', { sources: [], also: install.join(' ') }, async (building) => {
    await mkdir(building, { recursive: true });
    await build('promtool', ['go', 'install', '-v', ...install], { env: { GOBIN: building, GOFLAGS: '' }, say });
  });
  return join(folder, 'promtool');
}

type Building = { cwd?: string; env?: Record<string, string>; say: Say };

const build = (name: string, command: string[], { env = {}, ...options }: Building): Promise<void> =>
  runTool(name, command, { ...options, env: { ...process.env, ...settings, ...env }, unit: 'modules and packages' });
