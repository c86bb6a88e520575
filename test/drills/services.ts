import { type AppId, apps } from '../../services/local/apps.ts';
import type { Drill } from './drill.ts';
import type { World } from './world.ts';

const DOWN_MS = 3000;
const UP_MS = 3000;

/**
 * The first replica is SIGTERMed and its sidecar goes on, the second one killed likewise, then the first and its sidecar
 * are SIGTERMed together, as a pod is.
 */
const restarted = (appId: AppId): Drill => ({
  name: `${appId}-restarted`,
  about: 'of two replicas one is stopped, then the other killed, then a whole pod stopped; each is started again',
  seconds: 90,
  replicas: { [appId]: 2 },
  ...(appId === 'chat-api' && { mayRefuse: true }),
  async run(world, say) {
    const [first = appId, second = appId] = world.replicasOf(appId);
    say(`${first} is stopped`);
    await world.stop(first);
    await away(world, first);
    say(`${second} is killed`);
    await world.kill(second);
    await away(world, second);
    say(`${first} and its sidecar are stopped`);
    await world.stopPod(first);
    await Bun.sleep(DOWN_MS);
    await world.startPod(first);
  },
});

async function away(world: World, name: string): Promise<void> {
  await Bun.sleep(DOWN_MS);
  await world.start(name);
  await Bun.sleep(UP_MS);
}

export const serviceDrills = apps.map(({ appId }) => restarted(appId));
