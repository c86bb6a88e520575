import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chartsOf } from './charts.ts';
import { uniqueObjects } from './objects.ts';
import { builds } from './render.ts';
import { unreadableFiles, unusedFiles } from './files.ts';

const component = (content: string) => `kind: Component\n${content}`;
const files = {
  'base/kustomization.yaml': 'resources: [deployment.yaml]',
  'base/deployment.yaml': 'kind: Deployment',
  'images/near/kustomization.yaml': component('images: []'),
  'components/always/kustomization.yaml': component('resources: [policy.yaml]'),
  'components/always/policy.yaml': 'kind: NetworkPolicy',
  'components/blue-green/kustomization.yaml': component('resources: []'),
  'components/phase4/kustomization.yaml': component('patches: []'),
  'components/without-sidecar/kustomization.yaml': component('patches: []'),
  'overlays/near/kustomization.yaml':
    'resources: [../../base]\ncomponents: [../../images/near, ../../components/always]',
  'apps/base/kustomization.yaml':
    'resources: [dapr.yaml, "https://raw.example.com/argoproj/argo-cd/v3.2.11/manifests/install.yaml"]',
  'apps/base/dapr.yaml': 'spec: { sources: [{ helm: { valueFiles: [$values/gitops/platform/dapr/values.yaml] } }] }',
  'apps/overlays/near/kustomization.yaml': 'resources: [../../base]',
  'apps/components/more/kustomization.yaml': component('resources: []'),
  'platform/dapr/values.yaml': 'global: {}',
  'README.md': 'A tree.',
  'SCALING.md': 'And what it carries.',
};

let root: string;
let tree: string;
let modules: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'taskflow-tree-')));
  [tree, modules] = [join(root, 'gitops'), join(root, 'modules')];
  for (const [file, text] of Object.entries(files)) await Bun.write(join(tree, file), text);
  await Bun.write(join(modules, 'argo-cd-3.2.11/manifests/install.yaml'), 'kind: Deployment');
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('builds', () => {
  test('are each kustomization, each component on its base, and the overlays with each set of what they lack', async () => {
    const all = await builds(tree, { folder: join(root, 'all'), modules });
    expect(all.map(({ name }) => name)).toEqual([
      'apps/base',
      'apps/overlays/near',
      'base',
      'overlays/near',
      'apps/base + apps/components/more',
      'base + components/always',
      'base + components/blue-green',
      'base + components/phase4',
      'base + components/without-sidecar',
      'base + images/near',
      'apps/overlays/near + apps/components/more',
      'overlays/near + components/blue-green',
      'overlays/near + components/without-sidecar',
      'overlays/near + components/blue-green + components/without-sidecar',
      'overlays/near + components/phase4',
      'overlays/near + components/blue-green + components/phase4',
    ]);
  });

  test('take a file of another project from where it was gathered', async () => {
    const [apps] = await builds(tree, { folder: join(root, 'elsewhere'), modules, combined: false });
    const { resources } = Bun.YAML.parse(await Bun.file(join(apps?.folder ?? '', 'kustomization.yaml')).text()) as {
      resources: string[];
    };
    expect(resources).toEqual(['dapr.yaml', 'elsewhere-1.yaml']);
    expect(await Bun.file(join(apps?.folder ?? '', 'elsewhere-1.yaml')).text()).toBe('kind: Deployment');
  });
});

test('a file that nothing names is found', async () => {
  expect(await unusedFiles(tree)).toEqual([]);
  await Bun.write(join(tree, 'base/pdb.yaml'), 'kind: PodDisruptionBudget');
  expect(await unusedFiles(tree)).toEqual(['base/pdb.yaml']);
});

test('a file that is no YAML is found', async () => {
  expect(await unreadableFiles(tree)).toEqual([]);
  await Bun.write(join(tree, 'base/broken.yaml'), 'spec: [');
  expect((await unreadableFiles(tree)).map(({ file }) => file)).toEqual(['base/broken.yaml']);
  await rm(join(tree, 'base/broken.yaml'));
});

const application = (targetRevision: string) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'dapr' },
  spec: {
    destination: { namespace: 'dapr-system' },
    sources: [{ chart: 'dapr', targetRevision, helm: { valueFiles: ['$values/gitops/platform/dapr/values.yaml'] } }],
  },
});

describe('charts', () => {
  test('come from the module of their version, with the values of the tree', () => {
    expect(chartsOf([application('1.18.2')], { tree: '/tree', modules: '/modules' })).toEqual([
      {
        name: 'dapr 1.18.2',
        release: 'dapr',
        namespace: 'dapr-system',
        folder: '/modules/dapr-1.18.2/charts/dapr',
        values: ['/tree/platform/dapr/values.yaml'],
        set: 'global.tag=1.18.2',
      },
    ]);
  });

  test('of another version than the one that runs here are refused', () => {
    expect(() => chartsOf([application('1.17.0')], { tree: '/tree', modules: '/modules' })).toThrow(
      'Application dapr: dapr 1.17.0, but its objects are judged by 1.18.2',
    );
  });
});

test('an object that several builds have just so is judged once', () => {
  const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  const made = [
    { name: 'base', objects: [map('a')] },
    { name: 'overlay', objects: [map('a'), map('b')] },
  ];
  expect(uniqueObjects(made).map(({ builds: names }) => names)).toEqual([['base', 'overlay'], ['overlay']]);
});
