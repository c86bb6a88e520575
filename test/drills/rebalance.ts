import type { Drill } from './drill.ts';

const TIMES = 2;
const APART_MS = 5000;

/** Each time the group waits until all its members have joined again. */
export const rebalance: Drill = {
  name: 'rebalance',
  about: `a replica of notification-service leaves its group with its sidecar and joins it again, ${TIMES} times`,
  seconds: 60,
  replicas: { 'notification-service': 2 },
  async run(world) {
    const [, second = ''] = world.replicasOf('notification-service');
    for (let i = 0; i < TIMES; i++) {
      await world.stopPod(second);
      await Bun.sleep(APART_MS);
      await world.startPod(second);
      await Bun.sleep(APART_MS);
    }
  },
};
