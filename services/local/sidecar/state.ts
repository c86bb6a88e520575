import type { Delivery } from './delivery.ts';
import type { EventLog } from './log.ts';
import type { Subscription } from './manifests.ts';
import type { Sidecars } from './sidecar.ts';

export type State = ReturnType<typeof describeState>;

/** What `GET /state` shows: the sidecars with their faults, each group's lag, and the dead letters. */
export function describeState(sidecars: Sidecars, log: EventLog, delivery: Delivery, subscriptions: Subscription[]) {
  const deadLetterTopics = subscriptions
    .map(({ deadLetterTopic }) => deadLetterTopic)
    .filter((topic) => topic !== null);
  return {
    apps: sidecars.all.map((sidecar) => ({
      app_id: sidecar.appId,
      app_port: sidecar.appPort,
      http_port: sidecar.httpPort,
      ready: sidecar.isReady(),
      ...sidecar.faults,
    })),
    lag: log.lag().map((position) => ({ ...position, retrying_ms: delivery.retryingMs(position) })),
    /** How many events each dead letter topic ever received. */
    dead_letters: Object.fromEntries(deadLetterTopics.map((topic) => [topic, log.count(topic)])),
  };
}
