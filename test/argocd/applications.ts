import type { KubeApi } from '../gitops/kube-api.ts';
import { eventually } from '../support/wait.ts';

/** What Argo CD says of an Application. */
export type State = {
  sync: string | undefined;
  health: string | undefined;
  /** The commit that it compares with. */
  commit: string | undefined;
  /** Of the last sync. */
  phase: string | undefined;
  /** When that began, in ms; it is told to the second. */
  startedAt: number;
  /** Whether a sync is asked for or under way. */
  isSyncing: boolean;
  message: string;
  /** What it cannot do, `type: message` each. */
  problems: string[];
};

type Application = {
  metadata: { name: string; creationTimestamp: string; annotations?: Record<string, string> };
  operation?: object;
  status?: {
    sync?: { status?: string; revision?: string; revisions?: string[] };
    health?: { status?: string };
    operationState?: { phase?: string; message?: string; startedAt: string };
    conditions?: { type: string; message: string }[];
  };
};

const LIST = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications';
const EVERY_MS = 200;

/** All Applications that are there, by name. */
export async function applications(api: KubeApi): Promise<Map<string, State & { wave: number; createdAt: number }>> {
  const { items } = await api.request<{ items: Application[] }>('GET', LIST);
  return new Map(
    items.map((item) => {
      const { name, creationTimestamp, annotations } = item.metadata;
      const wave = Number(annotations?.['argocd.argoproj.io/sync-wave'] ?? 0);
      return [name, { ...stateOf(item), wave, createdAt: Date.parse(creationTimestamp) }];
    }),
  );
}

export const application = async (api: KubeApi, name: string): Promise<State> =>
  stateOf(await api.request<Application>('GET', `${LIST}/${name}`));

function stateOf({ operation, status = {} }: Application): State {
  const { sync, health, operationState, conditions = [] } = status;
  return {
    sync: sync?.status,
    health: health?.status,
    commit: sync?.revision,
    phase: operationState?.phase,
    startedAt: Date.parse(operationState?.startedAt ?? ''),
    isSyncing: operation !== undefined,
    message: operationState?.message ?? '',
    problems: conditions.map(({ type, message }) => `${type}: ${message}`),
  };
}

/** Has Argo CD look at the repository at once, as a webhook does; without, it sees a commit within a minute. */
export async function refresh(api: KubeApi, name: string): Promise<void> {
  const metadata = { annotations: { 'argocd.argoproj.io/refresh': 'normal' } };
  await api.request('PATCH', `${LIST}/${name}`, { metadata }, 'application/merge-patch+json');
}

/** Waits until an Application is as wanted. @returns the seconds that it took @throws with what it was last */
export async function untilState(
  api: KubeApi,
  name: string,
  { is, ms, what }: { is: (state: State) => boolean; ms: number; what: string },
): Promise<number> {
  const from = performance.now();
  let last: State | undefined;
  try {
    await eventually(async () => is((last = await application(api, name))), { ms, everyMs: EVERY_MS, what });
  } catch (cause) {
    throw new Error(`${name} was not ${what} after ${ms / 1000} s, but ${JSON.stringify(last)}`, { cause });
  }
  return (performance.now() - from) / 1000;
}

export const isDone = ({ sync, health, phase }: State): boolean =>
  sync === 'Synced' && health === 'Healthy' && phase === 'Succeeded';
