import { type AppId, apps } from '../../services/local/machine/apps.ts';
import { freePort } from '../../services/local/machine/port.ts';
import { createRealSidecars } from '../real/sidecars.ts';
import { listen } from '../support/listen.ts';
import { type Person, signUpMany } from '../support/person.ts';
import type { Placed } from '../support/sidecars.ts';
import { startServer } from '../support/server.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { type Balancer, createBalancer } from './balancer.ts';
import type { Drill } from './drill.ts';
import { type Edge, openEdge } from './edge.ts';
import { startLoad } from './load.ts';
import { startMeter } from './meter.ts';
import type { Random } from './random.ts';

/** What a drill plays with. */
export type World = Awaited<ReturnType<typeof startWorld>>;

const PEOPLE = 40; // 135 events a second over 40 streams: under the 10 a second of each
/** As in a cluster, deliveries are answered for 5 s after SIGTERM; what takes minutes there takes seconds here. */
const settings = { DELIVERY_DRAIN_MS: '5000', DRAIN_MS: '1000', TICK_SECONDS: '2' };

/** `minutes`: how long a drill without an end of its own goes on. */
export type Conditions = { rate: number; random: Random; minutes: number };

/** The real services on daprd, Kafka and a durable Postgres of their own, with people who listen; the load runs. */
export async function startWorld(drill: Drill, { rate, random, minutes }: Conditions) {
  await using opened = new AsyncDisposableStack(); // closed again when something does not start
  const server = await startServer();
  opened.defer(server.remove);
  const edges = new Map<string, Edge>();
  opened.defer(async () => void (await Promise.all([...edges.values()].map((edge) => edge.goAway()))));
  const stack = await startStack({
    createSidecarsWith: (options) => {
      const { brokerAtStart = true, severalBrokers = false } = drill;
      return createRealSidecars({ ...options, brokerAtStart, severalBrokers });
    },
    replicas: drill.replicas ?? {},
    settings: Object.fromEntries(apps.map(({ appId }) => [appId, { ...settings, ...drill.settings?.[appId] }])),
    ...(drill.withEdges && { appPort: (placed) => openEdgeTo(placed, edges) }),
  });
  opened.defer(() => killAndStop(stack));

  const services = stack.names.map((name) => ({ name, appId: appIdOf(name), origin: stack.url('', name) }));
  const balancers = Object.fromEntries(
    apps.map(({ appId }) => [appId, createBalancer(services.filter((each) => each.appId === appId))]),
  ) as Record<AppId, Balancer>;
  const people = await signUpMany(stack, drill.people ?? PEOPLE);
  const clients = drill.withoutStreams
    ? []
    : await Promise.all(people.map((person) => listenThrough(balancers['notification-service'], stack, person)));
  opened.defer(() => clients.forEach((client) => client.close()));
  const meter = startMeter(services);
  opened.defer(meter.stop);
  const load = startLoad({ rate: drill.withoutLoad ? 0 : rate, people, chat: balancers['chat-api'] });
  opened.defer(load.stop);
  const poison: { appId: AppId; eventId: string }[] = [];

  /** SIGTERM as the kubelet sends it: nobody is sent to it any more. Resolves when it has ended. */
  async function stop(name: string): Promise<void> {
    balancers[appIdOf(name)].away(name);
    await stack.stopOne(name);
  }
  /** SIGKILL. Requests still go to it and are refused. */
  async function kill(name: string): Promise<void> {
    await meter.read(name);
    await stack.kill(name);
  }
  /** Again; resolves when it is ready. */
  async function start(name: string): Promise<void> {
    await stack.start(name);
    balancers[appIdOf(name)].back(name);
  }

  const closing = opened.move();
  let ending: Promise<void> | undefined;
  return {
    /** The stack's own `stop`, `kill` and `start` do not tell the balancers and the meter. */
    stack,
    /** The database: may be stopped, killed, paused and so on. */
    server,
    people,
    /** One open stream a person. */
    clients,
    load,
    meter,
    random,
    minutes,
    /** What stands before this service, in a drill `withEdges`. */
    edgeOf(name: string): Edge {
      const edge = edges.get(name);
      if (!edge) throw new Error(`nothing stands before ${name}`);
      return edge;
    },
    /** By app-id: what sends a request to its replicas in turn. */
    balancers,
    /** The replicas of a service, `audit-logger` and `audit-logger#2`. */
    replicasOf: (appId: AppId) => services.filter((each) => each.appId === appId).map(({ name }) => name),
    stop,
    kill,
    start,
    /** A service and its sidecar get SIGTERM together. */
    stopPod: (name: string) => Promise.all([stop(name), stack.sidecars.stopSidecar(name)]),
    startPod: (name: string) => Promise.all([start(name), stack.sidecars.startSidecar(name)]),
    /** Says that this consumer will refuse this event for good, and that it must end as its dead letter. */
    expectDead: (appId: AppId, eventId: string) => void poison.push({ appId, eventId }),
    poison,
    /** Ends all of it; again: the same end. */
    end: () => (ending ??= closing.disposeAsync()),
  };
}

const appIdOf = (name: string) => name.split('#')[0] as AppId;

function openEdgeTo({ name, port: target }: Placed, edges: Map<string, Edge>): number {
  const edge = openEdge({ port: freePort(), target });
  edges.set(name, edge);
  return edge.port;
}

/** At each opening to the next replica of the notification service. */
async function listenThrough(balancer: Balancer, stack: RunningStack, person: Person) {
  const through = (url: string, init: RequestInit) => balancer.send(new URL(url).pathname, init);
  return { userId: person.id, ...(await listen(stack, person, { through })) };
}

/** Nothing of it is needed again: no reason to wait for drains. */
async function killAndStop(stack: RunningStack): Promise<void> {
  const running = stack.names.filter((name) => stack.pidOf(name) !== undefined);
  await Promise.allSettled(running.map((name) => stack.kill(name)));
  await stack.stop(); // whatever was left
}
