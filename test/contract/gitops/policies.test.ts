import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { manifests, parseManifests } from '../manifests.ts';
import { inFiles } from './mistakes.ts';
import type { KubeObject } from './objects.ts';
import { network } from './network.ts';
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
