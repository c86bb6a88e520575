import { Glob } from 'bun';
import { cp, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { KubeObject } from './kube-api.ts';

/** What `kustomize build` makes of a folder. @throws with its own words when it makes nothing */
export async function render(kustomize: string, folder: string): Promise<KubeObject[]> {
  const child = Bun.spawn([kustomize, 'build', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, problem, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new Error(`kustomize: ${problem.trim()}`);
  const documents = [Bun.YAML.parse(out)].flat() as (KubeObject | null)[];
  return documents.filter((document) => document !== null);
}

/** A folder that kustomize builds, by a name that says of what it is made. */
export type Build = { name: string; folder: string };

type Kustomization = { kind?: string; resources?: string[]; components?: string[] };
type Found = Kustomization & { path: string };

/** These undo or move what the others bring, so they come behind them, in this order. */
const LAST = ['components/blue-green', 'components/without-sidecar', 'components/phase4'];
/** Each of these takes the same sidecar away: together there is none left to take. */
const EITHER = ['components/without-sidecar', 'components/phase4'];

/**
 * All that can be built of the tree: each kustomization as it stands, each component alone on the base it is for, and the
 * overlays with every set of the components beside them that they lack. What is not in the tree is written below `folder`;
 * a file that a kustomization has from elsewhere comes from `modules`. Without `combined` each kustomization and no more.
 */
export async function builds(
  tree: string,
  { folder, modules, combined = true }: { folder: string; modules: string; combined?: boolean },
): Promise<Build[]> {
  const root = await realpath(tree);
  const found = await kustomizations(root);
  const whole = found.filter(({ kind }) => kind !== 'Component');
  const components = found.filter(({ kind }) => kind === 'Component').map(({ path }) => path);
  const combinations = combined ? combinationsOf(whole, components) : [];
  return [
    ...(await Promise.all(whole.map((each, i) => atHome(root, join(folder, `whole-${i}`), { ...each, modules })))),
    ...(await Promise.all(combinations.map((each, i) => combine(root, join(folder, `combined-${i}`), each)))),
  ];
}

type Combination = { on: string; with: string[] };

function combinationsOf(whole: Found[], components: string[]): Combination[] {
  const overlays = whole.filter(({ path }) => /(^|\/)overlays\/[^/]+$/.test(path));
  return [
    ...components.map((path) => ({ on: baseFor(path, whole), with: [path] })),
    ...overlays.flatMap((overlay) =>
      subsets(lackedBy(overlay, components)).map((set) => ({ on: overlay.path, with: set })),
    ),
  ].filter((each) => EITHER.filter((path) => each.with.includes(path)).length < 2);
}

/** The components beside the overlays that this one does not list, in the order in which they may follow each other. */
function lackedBy({ path, components: own = [] }: Found, all: string[]): string[] {
  const beside = join(dirname(dirname(path)), 'components');
  return all
    .filter((each) => dirname(each) === beside && !own.some((inner) => join(path, inner) === each))
    .toSorted((a, b) => LAST.indexOf(a) - LAST.indexOf(b));
}

async function kustomizations(root: string): Promise<Found[]> {
  const files = await Array.fromAsync(new Glob('**/kustomization.yaml').scan({ cwd: root }));
  return Promise.all(
    files.toSorted().map(async (file) => ({
      ...(Bun.YAML.parse(await Bun.file(join(root, file)).text()) as Kustomization),
      path: dirname(file),
    })),
  );
}

/** The nearest `base` beside or above. */
function baseFor(component: string, whole: Found[]): string {
  for (let above = dirname(component); ; above = dirname(above)) {
    const base = join(above, 'base');
    if (whole.some(({ path }) => path === base)) return base;
    if (above === '.') throw new Error(`${component} has no base beside or above it`);
  }
}

/** Without the empty one. */
function subsets(paths: string[]): string[][] {
  const all = paths.reduce<string[][]>((sets, path) => [...sets, ...sets.map((set) => [...set, path])], [[]]);
  return all.filter((set) => set.length > 0);
}

/** https://…/argo-cd/v3.2.11/manifests/install.yaml */
const ELSEWHERE = /^https:.*\/([\w-]+)\/v([\d.]+)\/(manifests\/.+)$/;

async function atHome(
  root: string,
  folder: string,
  { path, resources = [], modules, ...rest }: Found & { modules: string },
) {
  const own = join(root, path);
  const isElsewhere = (resource: string) => resource.startsWith('https:');
  if (!resources.some(isElsewhere)) return { name: path, folder: own };
  await cp(own, folder, { recursive: true });
  const local = await Promise.all(
    resources.map(async (resource, i) => {
      if (!isElsewhere(resource)) return resource;
      const [, name, version, file = ''] = ELSEWHERE.exec(resource) ?? [];
      await cp(join(modules, `${name}-${version}`, file), join(folder, `elsewhere-${i}.yaml`));
      return `elsewhere-${i}.yaml`;
    }),
  );
  await writeFile(join(folder, 'kustomization.yaml'), Bun.YAML.stringify({ ...rest, resources: local }, null, 2));
  return { name: path, folder };
}

async function combine(root: string, folder: string, { on, with: components }: Combination) {
  await mkdir(folder, { recursive: true });
  const from = await realpath(folder); // kustomize takes relative paths alone, and follows no link on the way
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(from, join(root, on))],
    components: components.map((path) => relative(from, join(root, path))),
  };
  await writeFile(join(folder, 'kustomization.yaml'), Bun.YAML.stringify(kustomization, null, 2));
  return { name: [on, ...components].join(' + '), folder };
}
