import { apps } from '../../services/local/machine/apps.ts';
import { type Drill, seconds } from './drill.ts';
import { deployments } from './workloads.ts';

export const promotion: Drill = {
  name: 'a promotion is a copy of one file',
  async run({ api, deployed, repository, type }) {
    for (const { appId } of apps) await type(`bun gitops/promote.ts ${appId} sha256:${digestOf(appId)}`);
    await repository.push('Release 0.2.0');
    await type('cp gitops/images/cloud/kustomization.yaml gitops/images/minikube/kustomization.yaml');
    const took = await deployed(await repository.push('Promote 0.2.0'));
    const running = [...(await deployments(api))].filter(([appId, { spec }]) =>
      spec.template.spec.containers[0]?.image.endsWith(digestOf(appId)),
    );
    if (running.length !== apps.length) throw new Error(`only ${running.length} services have their new image`);
    const back = await deployed(await repository.revert());
    return `five digests Synced and Healthy in ${seconds(took)}, by git revert back in ${seconds(back)}`;
  },
};

/** As long as a release's, and another for each service. */
const digestOf = (appId: string) => new Bun.CryptoHasher('sha256').update(appId).digest('hex');
