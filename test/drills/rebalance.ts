import { eventually } from '../support/wait.ts';
import type { Drill } from './drill.ts';

const TIMES = 2;
const APART_MS = 5000;

/** A member that fails has its batch in hand so long before the other one joins, and goes on failing so long after. */
const FAILING_MS = 5000;
/** Less than Kafka's 60 s after which a group no longer waits for a member: with single deliveries it does wait. */
const JOINED_MS = 30_000;

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

/** What fails does not keep the other from its share: the retries of a batch end with the group's session. */
export const joinBesideFailing: Drill = {
  name: 'join-beside-failing',
  about: 'a replica of notification-service joins its group while the other one fails',
  seconds: 60,
  replicas: { 'notification-service': 2 },
  withEdges: true,
  async run(world, say) {
    const [first = '', second = ''] = world.replicasOf('notification-service');
    await world.stopPod(second);
    world.edgeOf(first).set('fail');
    await Bun.sleep(FAILING_MS);
    await world.startPod(second);
    const [from, edge] = [performance.now(), world.edgeOf(second)];
    const before = edge.offered();
    await eventually(() => edge.offered() > before, { ms: JOINED_MS, what: `${second} to be given an event` });
    say(
      `${second} had its first event ${((performance.now() - from) / 1000).toFixed(1)} s after its sidecar was ready`,
    );
    await Bun.sleep(FAILING_MS);
    world.edgeOf(first).set('up');
  },
};
