import { within } from '#shared/db';
import { nameOf, readDelivery } from '#shared/delivery';
import { apps } from '../../services/local/machine/apps.ts';
import type { RunningStack } from '../support/stack.ts';

/** At a rate beyond what the machine carries events are late, by less than this. */
export const LATE_MS = 120_000;
const TOPIC = 'taskflow.tasks.created';
/** About as long as a task.created event. */
const BODY = JSON.stringify({ filler: 'x'.repeat(900) });

/**
 * In place of the five services, which must not run, apps that only answer, behind the same sidecars and broker: what a
 * publish and its delivery to all consumers cost before anything of ours is done.
 */
export function startBare({ ports, sidecarPorts, secrets }: RunningStack) {
  const arrivals = new Map<string, (at: number) => void>();
  const servers = apps.map(({ appId }) =>
    Bun.serve({
      port: ports[appId],
      hostname: '127.0.0.1',
      idleTimeout: 120,
      async fetch(request) {
        const { deliveries, answer } = readDelivery(await request.json(), {});
        if (appId === 'notification-service') {
          for (const delivery of deliveries) arrivals.get(nameOf(delivery) ?? '')?.(performance.now());
        }
        return Response.json(answer('SUCCESS'));
      },
    }),
  );
  const url = `http://127.0.0.1:${sidecarPorts['chat-api']}/v1.0/publish/taskflow-pubsub/${TOPIC}`;
  const headers = { 'content-type': 'application/json', 'dapr-api-token': secrets.DAPR_API_TOKEN };

  return {
    /** Publishes one event. @returns the time until it was at the app of notification-service, ms */
    async publishAndDeliver(): Promise<number> {
      const id = Bun.randomUUIDv7();
      const { promise: arrival, resolve } = Promise.withResolvers<number>();
      arrivals.set(id, resolve);
      const from = performance.now();
      const query = `metadata.partitionKey=${id}&metadata.cloudevent.id=${id}`;
      const response = await fetch(`${url}?${query}`, { method: 'POST', headers, body: BODY });
      if (response.status !== 204) throw new Error(`publish answered ${response.status}`);
      const at = await within(LATE_MS, arrival);
      arrivals.delete(id);
      return at - from;
    },
    stop: () => Promise.all(servers.map((server) => server.stop(true))),
  };
}
