import { mkdir } from 'node:fs/promises';
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

const PROMTOOL = 'github.com/prometheus/prometheus/cmd/promtool@v0.316.0'; // Prometheus 3.16

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
  // Without the clouds it can discover, which would double the time.
  const promtool = await installTool('promtool', { cache, program: PROMTOOL, tags: ['remove_all_sd'], say });
  const [files, strimzi] = await gathered;
  return { ...programs, injector, promtool, modules: files, strimzi };
}

const programs = [
  'k8s.io/kubernetes/cmd/kube-apiserver',
  'go.etcd.io/etcd/server/v3',
  'sigs.k8s.io/kustomize/kustomize/v5',
  'helm.sh/helm/v3/cmd/helm',
];

async function buildPrograms(cache: string, say: Say): Promise<Programs> {
  const folder = await buildTools('gitops-programs', { cache, packages: programs, say });
  const [etcd = '', apiServer = '', kustomize = '', helm = ''] = ['server', 'kube-apiserver', 'kustomize', 'helm'].map(
    (name) => join(folder, name),
  );
  return { etcd, apiServer, kustomize, helm };
}

/**
 * The folder of programs of one module, so that they share what they are compiled of, each called as the last part of its
 * package that is no version. tools/go.mod says which versions.
 */
export async function buildTools(
  name: string,
  { cache, packages, sources = [], say }: { cache: string; packages: string[]; sources?: string[]; say: Say },
): Promise<string> {
  const [, kubernetes = ''] = /k8s.io\/kubernetes v(\S+)/.exec(await Bun.file(source('tools/go.mod')).text()) ?? [];
  const [major, minor] = kubernetes.split('.');
  const version = 'k8s.io/component-base/version.git';
  // Without these it calls itself v0.0.0-master, which clients cannot parse.
  const said = [`Version=v${kubernetes}`, `Major=${major}`, `Minor=${minor}`].map((each) => `-X ${version}${each}`);
  const flags = ['-trimpath', '-ldflags', ['-s -w', ...said].join(' ')];
  const files = ['tools/go.mod', 'tools/go.sum', ...sources].map(source);
  const key = { sources: files, also: JSON.stringify([settings, flags, packages]) };
  return cached(cache, name, key, (building) => {
    const command = ['go', 'build', '-v', ...flags, '-o', `${building}/`, ...packages];
    return build('Kubernetes', command, { cwd: source('tools'), say });
  });
}

async function buildInjector(cache: string, say: Say): Promise<string> {
  const sources = ['injector/main.go', 'injector/go.mod', 'injector/go.sum'].map(source);
  const key = { sources, also: JSON.stringify([settings, small]) };
  const folder = await cached(cache, 'gitops-injector', key, (building) =>
    build('Dapr', ['go', 'build', '-v', ...small, '-o', `${building}/`, '.'], { cwd: source('injector'), say }),
  );
  return join(folder, 'injector');
}

/** A program in a module of its own, as its own go.mod has it. */
export async function installTool(
  name: string,
  { cache, program, tags = [], say }: { cache: string; program: string; tags?: string[]; say: Say },
): Promise<string> {
  const install = [...small, ...tags.flatMap((tag) => ['-tags', tag]), program];
  const folder = await cached(cache, `gitops-${name}`, { sources: [], also: install.join(' ') }, async (building) => {
    await mkdir(building, { recursive: true });
    await build(name, ['go', 'install', '-v', ...install], { env: { GOBIN: building, GOFLAGS: '' }, say });
  });
  return join(folder, name);
}

type Building = { cwd?: string; env?: Record<string, string>; say: Say };

const build = (name: string, command: string[], { env = {}, ...options }: Building): Promise<void> =>
  runTool(name, command, { ...options, env: { ...process.env, ...settings, ...env }, unit: 'modules and packages' });
