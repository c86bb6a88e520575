import { apps } from '../../services/local/machine/apps.ts';
import { isDone, untilState } from './applications.ts';
import { type Drill, seconds } from './drill.ts';
import { deployments } from './workloads.ts';
import type { World } from './world.ts';

/** Argo CD sees it within a minute (argocd-cm.yaml); the rest is what it does then. */
const POLLED_MS = 120_000;

/** One environment gets what another runs. */
export const promotion: Drill = {
  name: 'a promotion is a copy of one file',
  async run(world) {
    const { deployed, repository, type } = world;
    await writeDigests(world);
    await repository.push('Release 0.2.0');
    await type('cp gitops/images/cloud/kustomization.yaml gitops/images/minikube/kustomization.yaml');
    const took = await deployed(await repository.push('Promote 0.2.0'));
    await requireDigests(world);
    const back = await deployed(await repository.revert());
    return `all digests Synced and Healthy in ${seconds(took)}, by git revert back in ${seconds(back)}`;
  },
};

/** As the workflow does it, and nobody tells Argo CD. */
export const release: Drill = {
  name: 'a release arrives without a webhook',
  async run(world) {
    await writeDigests(world);
    const commit = await world.repository.push('Release 0.2.0');
    const is = (state: Parameters<typeof isDone>[0]) => isDone(state) && state.commit === commit;
    const took = await untilState(world.api, 'taskflow', { is, ms: POLLED_MS, what: 'Synced and Healthy by itself' });
    await requireDigests(world);
    return `all digests Synced and Healthy in ${seconds(took)} after the push`;
  },
};

async function writeDigests({ type }: World): Promise<void> {
  for (const { appId } of apps) await type(`bun gitops/promote.ts ${appId} sha256:${digestOf(appId)}`);
}

async function requireDigests({ api }: World): Promise<void> {
  const running = [...(await deployments(api))].filter(([appId, { spec }]) =>
    spec.template.spec.containers[0]?.image.endsWith(digestOf(appId)),
  );
  if (running.length !== apps.length) throw new Error(`only ${running.length} services have their new image`);
}

/** As long as a release's, and another for each service. */
const digestOf = (appId: string) => new Bun.CryptoHasher('sha256').update(appId).digest('hex');
