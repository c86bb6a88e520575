import { eventually } from '../support/wait.ts';
import { applications, isDone } from './applications.ts';
import { type Drill, seconds } from './drill.ts';
import type { World } from './world.ts';

/** A minute where nothing else runs. */
const READY_MS = 300_000;

/** From nothing but Argo CD to everything: what a person types, and what waits for what. */
export const bootstrap: Drill = {
  name: 'bootstrap',
  async run(world) {
    const { environment, type } = world;
    const from = performance.now();
    if (environment === 'minikube') {
      await type('kubectl create -f gitops/data/base/namespace.yaml');
      await type('npx -y bun@1.4.5 run gitops:secrets | kubectl create -f -');
    }
    await type(`kubectl apply -f gitops/bootstrap/root-${environment}.yaml`);
    const all = await untilAllDone(world);
    requireWaves(all);
    const took = (performance.now() - from) / 1000;
    return `${all.size} Applications Synced and Healthy in ${seconds(took)}, operators before data before services`;
  },
};

type Applications = Awaited<ReturnType<typeof applications>>;

async function untilAllDone({ api }: World): Promise<Applications> {
  let last: Applications = new Map();
  const areDone = async () => {
    last = await applications(api);
    return last.has('taskflow') && [...last.values()].every(isDone);
  };
  try {
    await eventually(areDone, { ms: READY_MS, everyMs: 500, what: 'all Applications to be Synced and Healthy' });
    return last;
  } catch (cause) {
    const open = [...last].filter(([, state]) => !isDone(state));
    throw new Error(`not done after ${READY_MS / 1000} s: ${JSON.stringify(open)}`, { cause });
  }
}

/** Each Application is made when those of the wave before are healthy. */
function requireWaves(all: Applications): void {
  const made = [...all].filter(([name]) => name !== 'root').map(([, each]) => each);
  const waves = made.toSorted((a, b) => a.createdAt - b.createdAt || a.wave - b.wave).map(({ wave }) => wave);
  if (waves.some((wave, i) => wave < (waves[i - 1] ?? wave))) throw new Error(`the waves came as ${waves.join(', ')}`);
}
