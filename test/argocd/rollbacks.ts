import { apps } from '../../services/local/machine/apps.ts';
import type { KubeApi } from '../gitops/kube-api.ts';
import { type Drill, seconds } from './drill.ts';
import { type Deployment, deployments } from './workloads.ts';
import type { Environment, World } from './world.ts';

/** Within which a cluster must be back at Phase IV. */
const BACK_MS = 60_000;

/** What a rollback changes. */
type Found = {
  /** Of each service that has none. */
  stopped: string[];
  /** EVENTS of chat-api. */
  events: string | undefined;
  hasSidecar: boolean;
};

const phase5: Found = { stopped: [], events: 'on', hasSidecar: true };
const phase4: Found = {
  stopped: apps.map(({ appId }) => appId).filter((appId) => appId !== 'chat-api'),
  events: 'off',
  hasSidecar: false,
};

async function look({ api }: World): Promise<Found> {
  const all = await deployments(api);
  const chatApi = all.get('chat-api');
  return {
    stopped: [...all].filter(([, { spec }]) => spec.replicas === 0).map(([appId]) => appId),
    events: chatApi && (await settingsOf(api, chatApi)).EVENTS,
    hasSidecar: chatApi?.spec.template.metadata.annotations?.['dapr.io/enabled'] === 'true',
  };
}

/** What its pods read, of the ConfigMaps that they name. */
async function settingsOf(api: KubeApi, { spec }: Deployment): Promise<Record<string, string>> {
  const names = spec.template.spec.containers.flatMap(({ envFrom = [] }) =>
    envFrom.map(({ configMapRef }) => configMapRef.name),
  );
  const maps = await Promise.all(
    names.map((name) => api.request<{ data: object }>('GET', `/api/v1/namespaces/taskflow/configmaps/${name}`)),
  );
  return Object.assign({}, ...maps.map(({ data }) => data));
}

async function requireFound(world: World, wanted: Found): Promise<void> {
  const found = await look(world);
  const isSame = JSON.stringify(sorted(found)) === JSON.stringify(sorted(wanted));
  if (!isSame) throw new Error(`it should be ${JSON.stringify(wanted)}, and is ${JSON.stringify(found)}`);
}

const sorted = ({ stopped, ...rest }: Found) => ({ stopped: stopped.toSorted(), ...rest });

const atTheTop = { minikube: 'kind: Kustomization\n', cloud: 'kind: Kustomization\n' };
const lastComponent = {
  minikube: '  - ../../components/network-policies\n',
  cloud: '  - ../../components/autoscaling\n',
};

/** The line that gitops/README.md says, in an overlay; what must run then; and the revert of it. */
const rollback = (
  name: string,
  { line, after, then }: { line: string; after: Record<Environment, string>; then: Found },
): Drill => ({
  name,
  async run(world) {
    const { deployed, environment, repository } = world;
    await requireFound(world, phase5);
    await repository.edit(
      `gitops/overlays/${environment}/kustomization.yaml`,
      after[environment],
      `${after[environment]}${line}\n`,
    );
    const took = await deployed(await repository.push(`Roll back: ${name}`), { ms: BACK_MS });
    await requireFound(world, then);
    const forward = await deployed(await repository.revert(), { ms: BACK_MS });
    await requireFound(world, phase5);
    return `by one line in ${seconds(took)}; forward again, by git revert, in ${seconds(forward)}`;
  },
});

export const isolation = rollback('a failing service is isolated', {
  after: atTheTop,
  line: 'replicas: [{ name: audit-logger, count: 0 }]',
  then: { ...phase5, stopped: ['audit-logger'] },
});

export const withoutSidecar = rollback('chat-api goes without sidecar and publishing', {
  after: lastComponent,
  line: '  - ../../components/without-sidecar',
  then: { ...phase5, events: 'standby', hasSidecar: false },
});

export const toPhase4 = rollback('back to Phase IV', {
  after: lastComponent,
  line: '  - ../../components/phase4',
  then: phase4,
});
