import { eventually } from '../support/wait.ts';
import { refresh, type State, untilState } from './applications.ts';
import { type Drill, seconds } from './drill.ts';
import { deployment, requirePods, runningPods, templates } from './workloads.ts';
import type { World } from './world.ts';

const SEEN_MS = 120_000;

/** A commit that Argo CD cannot bring; nothing of it may arrive, and the old pods serve on. */
const refused = (
  name: string,
  { file, from, to, says }: { file: string; from: string; to: string; says: string },
): Drill => ({
  name,
  async run({ api, deployed, repository }) {
    const [before, pods] = [await templates(api), await runningPods(api)];
    await repository.edit(file, from, to);
    const commit = await repository.push(`A mistake: ${name}`);
    await refresh(api, 'taskflow');
    const is = ({ problems, message, commit: seen }: State) =>
      problems.some((problem) => problem.includes(says)) || (seen === commit && message.includes(says));
    const took = await untilState(api, 'taskflow', { is, ms: SEEN_MS, what: `refused with ${says}` });
    if ((await templates(api)) !== before) throw new Error('something of it arrived');
    await requirePods(api, pods);
    const back = await deployed(await repository.revert());
    await requirePods(api, pods);
    return `refused in ${seconds(took)}, nothing changed; by git revert Synced again in ${seconds(back)}, with the same pods`;
  },
});

export const unknownField = refused('an unknown field', {
  file: 'gitops/base/chat-api/deployment.yaml',
  from: 'imagePullPolicy',
  to: 'imagePullPolice',
  says: 'imagePullPolice',
});

export const brokenKustomization = refused('a broken kustomization', {
  file: 'gitops/base/chat-api/kustomization.yaml',
  from: 'pdb.yaml',
  to: 'pbd.yaml',
  says: 'pbd.yaml',
});

/** An image that never comes: the sync succeeds, the new pods do not, and the old ones stay until they do. */
export const badImage: Drill = {
  name: 'an image that there is not',
  async run(world) {
    const { api, deployed, repository, environment } = world;
    const [before, pods] = [await templates(api), await runningPods(api)];
    await setImage(world, 'notification-service', 'missing-1');
    await repository.push('A mistake: no such image');
    const from = performance.now();
    await refresh(api, 'taskflow');
    const isUnderWay = async () => {
      const { spec, status } = await deployment(api, 'notification-service');
      return spec.template.spec.containers[0]?.image.includes('missing') && (status.updatedReplicas ?? 0) > 0;
    };
    await eventually(isUnderWay, { ms: SEEN_MS, everyMs: 200, what: `pods of the new image in ${environment}` });
    const took = (performance.now() - from) / 1000;
    await requirePods(api, pods);
    const back = await deployed(await repository.revert());
    await requirePods(api, pods);
    if ((await templates(api)) !== before) throw new Error('not everything is as it was');
    return `its pod waits since ${seconds(took)} beside the old ones; by git revert Healthy in ${seconds(back)}, with the same pods`;
  },
};

/** Writes a tag for a service into its environment's one file of images. */
export async function setImage({ repository, environment }: World, appId: string, tag: string): Promise<void> {
  const file = `gitops/images/${environment}/kustomization.yaml`;
  const text = await Bun.file(`${repository.folder}/${file}`).text();
  const [whole = '', start = ''] =
    new RegExp(`(  - name: taskflow/${appId}\\n    newName: \\S+\\n    )(?:newTag|digest): .*`).exec(text) ?? [];
  await repository.edit(file, whole, `${start}newTag: ${tag}`);
}
