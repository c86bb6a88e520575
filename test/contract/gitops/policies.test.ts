import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { manifests, parseManifests } from '../manifests.ts';
import { inFiles } from './mistakes.ts';
import type { KubeObject } from './objects.ts';
import { drawn, network, unlikePicture } from './network.ts';
import { pods } from './pods.ts';
import { ports } from './ports.ts';
import { routes } from './routes.ts';
import { sidecars } from './sidecars.ts';
import { topics } from './topics.ts';

// What can be judged in the files as they stand. What `kustomize build` makes of them is judged by `check:gitops`, by all policies.

const gitops = join(import.meta.dir, '../../../gitops');
const judged = /^(base|data\/base|components\/network-policies)\//;
const isObject = ({ file, kind, metadata }: (typeof manifests)[number]) =>
  judged.test(file) && kind !== 'Kustomization' && metadata !== undefined;
const files = manifests.filter(isObject);

const refusals = (objects: typeof manifests): string[] =>
  [pods, sidecars, ports, topics, routes, network].flatMap((policy) => policy(objects as unknown as KubeObject[]));

test('the files as they stand are refused by no policy', () => {
  expect(files.length).toBeGreaterThan(60);
  expect(refusals(files)).toEqual([]);
});

test.each(inFiles.map((mistake) => [mistake.what, mistake] as const))('%s is refused', async (_what, mistake) => {
  const text = await Bun.file(join(gitops, mistake.file)).text();
  expect(text).toContain(mistake.from);
  const changed = parseManifests(mistake.file, text.replace(mistake.from, mistake.to));
  const tree = [...files.filter(({ file }) => file !== mistake.file), ...changed];
  expect(refusals(tree)).toContainEqual(expect.stringContaining(mistake.refusal));
});

describe('the picture of gitops/README.md', () => {
  // Without the patch for a cloud, where Postgres is not in the cluster.
  const walls = manifests.filter(({ kind, file }) => kind === 'NetworkPolicy' && !file.startsWith('overlays/cloud/'));

  test('has an arrow for each connection that the policies allow, and no other', async () => {
    expect(walls.length).toBeGreaterThan(8);
    expect(await unlikePicture(walls as unknown as KubeObject[])).toEqual([]);
  });

  test('lacks what a policy opens besides', async () => {
    const text = await Bun.file(join(gitops, 'components/network-policies/kafka.yaml')).text();
    const changed = parseManifests('kafka.yaml', text.replace('port: 9092', 'port: 9093'));
    const tree = [...walls.filter(({ file }) => !file.includes('/kafka.yaml')), ...changed];
    const unlike = await unlikePicture(tree as unknown as KubeObject[]);
    expect(unlike).toContain('chat-api -> kafka: 9093 is not in the picture');
    expect(unlike).toContain('chat-api -> kafka: 9092 is drawn, and not allowed');
  });

  test('is read arrow by arrow', () => {
    expect(drawn('flowchart LR\n  a & b -- "80" --> c & d-e\n')).toEqual([
      'a -> c: 80',
      'a -> d-e: 80',
      'b -> c: 80',
      'b -> d-e: 80',
    ]);
  });
});
