import { type AppId, apps } from '../../services/local/machine/apps.ts';
import type { Drill } from './drill.ts';
import type { World } from './world.ts';

const DOWN_MS = 3000;
const UP_MS = 3000;

const restarted = (appId: AppId): Drill => ({
  name: `${appId}-restarted`,
  about: 'one replica is stopped, then the other killed, then one stopped with its sidecar; each is started again',
  seconds: 60,
  replicas: { [appId]: 2 },
  ...(appId === 'chat-api' && { mayRefuse: ['ECONNRESET'] }), // when it is killed
  async run(world, say) {
    const [first = appId, second = appId] = world.replicasOf(appId);
    say(`${first} is stopped`);
    await gracefully(world, () => world.stop(first));
    await comeBack(world, first);
    say(`${second} is killed`);
    await world.kill(second);
    await comeBack(world, second);
    say(`${first} and its sidecar are stopped`);
    await gracefully(world, () => world.stopPod(first));
    await Bun.sleep(DOWN_MS);
    await world.startPod(first);
  },
});

async function comeBack(world: World, name: string): Promise<void> {
  await Bun.sleep(DOWN_MS);
  await world.start(name);
  await Bun.sleep(UP_MS);
}

/** What is stopped answers what it was asked before. */
async function gracefully({ load }: World, stop: () => Promise<unknown>): Promise<void> {
  const before = load.unanswered.length;
  await stop();
  const unanswered = load.unanswered.slice(before);
  if (unanswered.length > 0) throw new Error(`left unanswered by what was stopped: ${unanswered.join(', ')}`);
}

export const serviceDrills = apps.map(({ appId }) => restarted(appId));
