import { apps } from '../../services/local/machine/apps.ts';
import type { Drill } from './drill.ts';
import type { World } from './world.ts';

/** As in a cluster: the streams of a replica that stops end spread over this. */
const DRAIN_MS = 15_000;
const SECOND = 1000;

/** Every service, replica by replica, each with its sidecar as the pods of an update are, while streams are open. */
export const rollingRestart: Drill = {
  name: 'rolling-restart',
  about: 'every replica of every service is restarted in turn with its sidecar while 200 streams are open',
  seconds: 130,
  replicas: Object.fromEntries(apps.map(({ appId }) => [appId, 2])),
  settings: { 'notification-service': { DRAIN_MS: String(DRAIN_MS) } },
  people: 200,
  async run(world, say) {
    for (const name of world.stack.names) {
      say(`${name} is restarted`);
      await world.stopPod(name);
      await world.startPod(name);
    }
  },
  judge(world, say) {
    const openedAt = openings(world);
    const most = mostWithin(SECOND, openedAt);
    say(`streams opened again: ${openedAt.length}; in each second: ${histogram(openedAt)}; at most ${most} within one`);
    const tenth = world.clients.length / 10;
    return most > tenth ? [`${most} streams were opened again within a second, more than a tenth (${tenth})`] : [];
  },
};

/** When a stream was ready again, oldest first, in ms. */
const openings = ({ clients }: World): number[] =>
  clients.flatMap(({ openedAt }) => openedAt.slice(1)).sort((a, b) => a - b);

/** The most of these times that lie within any `ms`. */
export function mostWithin(ms: number, times: number[]): number {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while ((times[to] ?? 0) - (times[from] ?? 0) >= ms) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

/** How many of these times lie in each second from the first on. */
function histogram(times: number[]): string {
  const seconds = times.map((time) => Math.floor((time - (times[0] ?? 0)) / SECOND));
  const counts = Array.from({ length: (seconds.at(-1) ?? -1) + 1 }, () => 0);
  for (const second of seconds) counts[second] = (counts[second] ?? 0) + 1;
  return counts.join(' ');
}
