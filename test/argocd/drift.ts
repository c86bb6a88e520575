import { eventually } from '../support/wait.ts';
import { isDone, refresh, type State, untilState } from './applications.ts';
import { type Drill, seconds } from './drill.ts';
import { deployment } from './workloads.ts';

const HEALED_MS = 30_000;
const SYNCED_MS = 120_000;

/** What somebody changes by hand is put back, without any commit. */
export const drift: Drill = {
  name: 'drift is healed',
  async run({ api, type }) {
    const before = JSON.stringify((await deployment(api, 'chat-api')).spec);
    await type(`kubectl -n taskflow set image deployment/chat-api chat-api=elsewhere.example.com/chat-api:9`);
    await type('kubectl -n taskflow delete service/chat-api poddisruptionbudget/chat-api');
    const from = performance.now();
    const isHealed = async () =>
      JSON.stringify((await deployment(api, 'chat-api')).spec) === before &&
      (await api.find('/api/v1/namespaces/taskflow/services/chat-api')) &&
      (await api.find('/apis/policy/v1/namespaces/taskflow/poddisruptionbudgets/chat-api'));
    await eventually(isHealed, {
      ms: HEALED_MS,
      everyMs: 200,
      what: 'image, Service and PodDisruptionBudget as in Git',
    });
    const healed = (performance.now() - from) / 1000;
    await untilState(api, 'taskflow', { is: isDone, ms: HEALED_MS, what: 'Synced and Healthy' });
    return `another image, a deleted Service and a deleted PodDisruptionBudget put back in ${seconds(healed)}`;
  },
};

/** What a commit takes away is taken away, but for what holds data. */
export const pruning: Drill = {
  name: 'what Git no longer has is pruned',
  async run({ api, deployed, repository }) {
    await repository.edit('gitops/base/chat-api/kustomization.yaml', '  - pdb.yaml\n', '');
    const took = await deployed(await repository.push('No PodDisruptionBudget'));
    const path = '/apis/policy/v1/namespaces/taskflow/poddisruptionbudgets/chat-api';
    if (await api.find(path)) throw new Error('the PodDisruptionBudget is still there');
    const back = await deployed(await repository.revert());
    if (!(await api.find(path))) throw new Error('the PodDisruptionBudget did not come back');
    return `a PodDisruptionBudget went in ${seconds(took)} and came back by git revert in ${seconds(back)}`;
  },
};

/** From the tree on: the line that a commit may lose, and what that must not delete. */
const holdsData = [
  { line: '  - namespace.yaml\n', path: '/api/v1/namespaces/taskflow' },
  { line: '  - kafka.yaml\n', path: '/apis/kafka.strimzi.io/v1/namespaces/taskflow/kafkas/taskflow' },
  {
    line: '  - topics.yaml\n',
    path: '/apis/kafka.strimzi.io/v1/namespaces/taskflow/kafkatopics/taskflow.tasks.created',
  },
];
const postgres = '/apis/postgresql.cnpg.io/v1/namespaces/taskflow/clusters/taskflow-postgres';

export const protection: Drill = {
  name: 'what holds data is never pruned',
  async run({ api, deployed, repository }) {
    type Found = { metadata: { uid: string; deletionTimestamp?: string } };
    const paths = [...holdsData.map(({ path }) => path), postgres];
    const alive = async () => {
      const found = await Promise.all(paths.map((path) => api.find<Found>(path)));
      return found.map((object) => object?.metadata.deletionTimestamp ?? object?.metadata.uid).join();
    };
    const before = await alive();
    for (const { line } of holdsData) await repository.edit('gitops/data/base/kustomization.yaml', line, '');
    await repository.edit('gitops/data/overlays/minikube/kustomization.yaml', '  - postgres.yaml\n', '');
    const commit = await repository.push('No data');
    await refresh(api, 'data');
    const is = (state: State) => state.commit === commit && state.phase === 'Succeeded' && state.sync === 'OutOfSync';
    const took = await untilState(api, 'data', { is, ms: SYNCED_MS, what: 'synced without them' });
    if ((await alive()) !== before) throw new Error(`one of ${paths.join(', ')} was deleted`);
    const back = await deployed(await repository.revert(), { name: 'data' });
    return `without namespace, Kafka, topics and Postgres in Git for ${seconds(took)}, all are there; Synced again in ${seconds(back)}`;
  },
};
