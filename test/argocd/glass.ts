import type { KubeApi } from '../gitops/kube-api.ts';
import { eventually } from '../support/wait.ts';
import { application, isDone, type State, untilState } from './applications.ts';
import { type Drill, seconds } from './drill.ts';
import { blockOf } from './readme.ts';
import { deployment, runningPods } from './workloads.ts';

const MS = 120_000;
/** Longer than Argo CD waits before it heals. */
const UNDISTURBED_MS = 8000;
/** Which block leads back: that of another environment would make the cluster it. */
const BACK = { minikube: 1, cloud: 2 };

/** What gitops/README.md says for the day on which a commit is too slow. */
export const breakGlass: Drill = {
  name: 'break glass',
  async run({ api, environment, type }) {
    await type(await blockOf('Break glass', 0));
    const before = await imageOf(api);
    await type('kubectl -n taskflow set image deployment/chat-api chat-api=taskflow/chat-api:by-hand');
    await Bun.sleep(UNDISTURBED_MS);
    if ((await imageOf(api)) === before) throw new Error('it was healed all the same');
    const from = performance.now();
    await type(await blockOf('Break glass', BACK[environment]));
    const isBack = async () => (await imageOf(api)) === before;
    await eventually(isBack, { ms: MS, everyMs: 200, what: 'the image that Git says' });
    await untilState(api, 'taskflow', { is: isDone, ms: MS, what: 'Synced and Healthy' });
    const took = (performance.now() - from) / 1000;
    return `for ${seconds(UNDISTURBED_MS / 1000)} an image set by hand stayed; Git ruled again after ${seconds(took)}`;
  },
};

/** Of a root that has given up nothing but this, or a commit, makes a sync. Asked for while one is under way, it would be part of that. */
export const rootAgain: Drill = {
  name: 'the root is synced by hand',
  async run({ api, type }) {
    await untilState(api, 'root', { is: isOver, ms: MS, what: 'Synced and Healthy, with no sync under way' });
    const [{ startedAt }, from] = [await application(api, 'root'), performance.now()];
    await type(await blockOf('In a cloud', 2));
    const is = (state: State) => state.startedAt > startedAt && isDone(state);
    await untilState(api, 'root', { is, ms: MS, what: 'Synced and Healthy by another sync' });
    return `by a patch, without a commit, Synced and Healthy in ${seconds((performance.now() - from) / 1000)}`;
  },
};

/** No sync is under way, and the next one begins in another second. */
const isOver = (state: State): boolean => isDone(state) && !state.isSyncing && state.startedAt < Date.now() - 1000;

const imageOf = async (api: KubeApi) => (await deployment(api, 'chat-api')).spec.template.spec.containers[0]?.image;

export const rotation: Drill = {
  name: 'a secret is rotated, and both are good meanwhile',
  async run({ api, type }) {
    const [before, pods] = [await keysOf(api), await runningPods(api)];
    const from = performance.now();
    await type(await blockOf('Rotate a secret', 0));
    const after = await keysOf(api);
    if (after.previous !== before.secret || after.secret === before.secret)
      throw new Error('the old secret should be the previous one, beside a new one');
    const areNew = async () => {
      const now = await runningPods(api);
      return now.size === pods.size && now.isDisjointFrom(pods);
    };
    await eventually(areNew, { ms: MS, everyMs: 200, what: 'a new pod for each' });
    await untilState(api, 'taskflow', { is: isDone, ms: MS, what: 'Synced and Healthy' });
    return `all pods have both after ${seconds((performance.now() - from) / 1000)}, and it is Synced as before`;
  },
};

async function keysOf(api: KubeApi) {
  type Secret = { data: { secret: string; previous?: string } };
  return (await api.request<Secret>('GET', '/api/v1/namespaces/taskflow/secrets/jwt')).data;
}
