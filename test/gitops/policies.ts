import { Glob } from 'bun';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requestsOf } from '../contract/gitops/budget.ts';
import { type Mistake, whenRendered } from '../contract/gitops/mistakes.ts';
import { unlikePicture } from '../contract/gitops/network.ts';
import type { KubeObject } from '../contract/gitops/objects.ts';
import { policies, policiesOfApps } from '../contract/gitops/policies.ts';
import { render as build } from './render.ts';
import type { Verdict } from './verdict.ts';

const source = join(import.meta.dir, '../../gitops');
const environments = ['minikube', 'cloud'] as const;
type Environment = (typeof environments)[number];

/** What Kustomize makes of a folder, as our policies read it. @throws with its own words when it makes nothing */
export const render = async (kustomize: string, folder: string): Promise<KubeObject[]> =>
  (await build(kustomize, folder)) as KubeObject[];

/** Everything that the policies refuse in the tree at `gitops`, one sentence each with its environment. */
async function refusals(kustomize: string, gitops = source): Promise<string[]> {
  const found = await Promise.all(environments.map((environment) => ofEnvironment(kustomize, gitops, environment)));
  return found.flat();
}

async function ofEnvironment(kustomize: string, gitops: string, environment: Environment): Promise<string[]> {
  try {
    const [overlay = [], data = [], apps = []] = await Promise.all(
      [`overlays/${environment}`, `data/overlays/${environment}`, `apps/overlays/${environment}`].map((folder) =>
        render(kustomize, join(gitops, folder)),
      ),
    );
    return [
      ...Object.values(policies).flatMap((policy) => policy([...overlay, ...data])),
      ...(environment === 'minikube' ? await unlikePicture([...overlay, ...data]) : []),
      ...Object.values(policiesOfApps).flatMap((policy) => policy(apps)),
    ].map((reason) => `${environment}: ${reason}`);
  } catch (error) {
    return [`${environment}: ${error instanceof Error ? error.message : error}`];
  }
}

/** What Minikube asks of its node, in cores and MiB, the operators with it. */
async function minikubeRequests(kustomize: string) {
  const folders = ['overlays/minikube', 'data/overlays/minikube', 'platform/envoy-gateway/minikube'];
  const objects = await Promise.all(folders.map((folder) => render(kustomize, join(source, folder))));
  const files = [...new Glob('platform/*/values-minikube.yaml').scanSync(source)].flatMap((file) => [
    file,
    file.replace('-minikube', ''),
  ]);
  const values = await Promise.all(
    files.map(async (file) => Bun.YAML.parse(await Bun.file(join(source, file)).text())),
  );
  return requestsOf(objects.flat(), values as object[]);
}

/** What is refused in a copy of the tree with this mistake in it. */
async function refusalsOf({ file, from, to }: Mistake, kustomize: string): Promise<string[]> {
  const copy = await mkdtemp(join(tmpdir(), 'taskflow-mistake-'));
  try {
    await cp(source, copy, { recursive: true });
    const text = await Bun.file(join(copy, file)).text();
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    await Bun.write(join(copy, file), text.replace(from, to));
    return await refusals(kustomize, copy);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** The tree by every policy, what Minikube asks of its node, and each mistake that `check` cannot see. */
export async function judgePolicies(kustomize: string, verdict: Verdict): Promise<void> {
  const found = await refusals(kustomize);
  for (const reason of found) verdict.fail('policies', reason);
  if (found.length === 0) verdict.pass('policies: the overlays, their data and their applications');
  const { cpu, memory } = await minikubeRequests(kustomize);
  const sum = `minikube: requests are ${cpu} cores and ${memory} MiB, operators included`;
  if (cpu > 3 || memory > 6 * 1024) verdict.fail(sum, 'may be 3 cores and 6 GiB');
  else verdict.pass(sum);
  for (const mistake of whenRendered) {
    const seen = await refusalsOf(mistake, kustomize);
    const what = `policies refuse ${mistake.what}`;
    if (seen.some((reason) => reason.includes(mistake.refusal))) verdict.pass(what);
    else verdict.fail(what, `expected ${mistake.refusal}, got ${seen.join('; ') || 'nothing'}`);
  }
}
