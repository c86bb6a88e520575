import { type AppId, apps } from '../../services/local/machine/apps.ts';
import { type Child, requireOk, untilReady } from '../../services/local/machine/child.ts';
import { serviceOf } from '../../services/local/gateway/gateway.ts';
import { freePorts } from '../../services/local/machine/port.ts';
import { makeSecrets } from '../../services/local/state/secrets.ts';
import { serviceEnvironment, type Stack, spawnService } from '../../services/local/stack.ts';
import { createDatabase } from './database.ts';
import { createSidecars, type Fault, type Placed, type Sidecars, type SidecarsOptions } from './sidecars.ts';
import { eventually } from './wait.ts';

export type RunningStack = Awaited<ReturnType<typeof startStack>>;

const READY_MS = 60_000;
/** Longer than a service takes that drains and then closes (`shared/lifecycle.ts`). */
const STOP_MS = 20_000;
const raised = { ADDRESS_ATTEMPTS: '100000', ADDRESS_LOGINS: '100000', REQUESTS_PER_SECOND: '100000' };
/** The name of broker and sidecars together, beside those of the services. */
const SIDECARS = 'local/sidecar';

/**
 * Real services as processes of their own, the stand-in for their sidecars (daprd and Kafka with TASKFLOW_SIDECAR=real),
 * on a database of the test's own and free ports. A process is named by its app-id; the second replica of chat-api is `chat-api#2`.
 */
export async function startStack<S extends Sidecars = Sidecars>({
  only = apps.map(({ appId }) => appId),
  replicas = {},
  settings = {},
  asShipped = false,
  createSidecarsWith = createSidecars as (options: SidecarsOptions) => Promise<S>,
  appPort = ({ port }) => port,
}: {
  only?: readonly AppId[];
  replicas?: Partial<Record<AppId, number>>;
  /** Environment beyond the usual, for each app. */
  settings?: Partial<Record<AppId, Record<string, string>>>;
  /** With the limits of an installation. Else they are raised: tests sign up many from one address, and a few do the work of many. */
  asShipped?: boolean;
  /** Certain ones, for what the others cannot do. */
  createSidecarsWith?: (options: SidecarsOptions) => Promise<S>;
  /** Where the sidecar finds its service: at its port, unless something of a test stands between them. */
  appPort?: (placed: Placed) => number;
} = {}) {
  await using opened = new AsyncDisposableStack(); // closed again when something does not start
  const database = await createDatabase();
  opened.defer(database.drop);
  const secrets = makeSecrets();
  const instances = only.flatMap((appId) =>
    Array.from({ length: replicas[appId] ?? 1 }, (_, i) => ({
      appId,
      name: i === 0 ? (appId as string) : `${appId}#${i + 1}`,
    })),
  );
  const ports = freePorts(2 * instances.length);
  const placed = instances.map((instance, i) => ({
    ...instance,
    port: ports[2 * i] ?? 0,
    sidecarPort: ports[2 * i + 1] ?? 0,
  }));
  const children = new Map<string, Child>();
  const lines: string[] = [];

  const portOf = (name: string) => placed.find((instance) => instance.name === name)?.port ?? 0;
  const byApp = (port: (instance: (typeof placed)[number]) => number) =>
    Object.fromEntries(placed.toReversed().map((instance) => [instance.appId, port(instance)])) as Record<
      AppId,
      number
    >;

  const stack: Stack = {
    secrets,
    databaseUrl: (appId) => database.url(appId),
    ports: byApp(({ port }) => port),
    sidecarPorts: byApp(({ sidecarPort }) => sidecarPort),
    publicUrl: '',
    commit: 'test',
  };

  function environmentOf(name: string): Record<string, string> {
    const instance = placed.find((each) => each.name === name);
    if (!instance) throw new Error(`there is no ${name}`);
    const { appId, port, sidecarPort } = instance;
    const environment = serviceEnvironment(stack, appId);
    const place = { PORT: String(port), DAPR_HTTP_PORT: String(sidecarPort) };
    return { ...environment, ...place, ...(!asShipped && raised), ...settings[appId] };
  }

  const { DAPR_API_TOKEN, APP_API_TOKEN } = secrets;
  const sidecars = await createSidecarsWith({
    placed: placed.map((instance) => ({ ...instance, port: appPort(instance) })),
    tokens: { DAPR_API_TOKEN, APP_API_TOKEN },
    onLine: (line) => void lines.push(`${SIDECARS} ${line}`),
  });
  opened.defer(sidecars.stop);
  opened.defer(async () => void (await Promise.all([...children.keys()].map(stopOne))));

  /** Starts a process (again) and waits until it is ready. `local/sidecar` is the broker with all sidecars. */
  async function start(name: string): Promise<void> {
    if (name === SIDECARS) return sidecars.start();
    const onLine = (line: string) => void lines.push(`${name} ${line}`);
    const child = spawnService(name.split('#')[0] as AppId, environmentOf(name), { onLine, limitMs: STOP_MS });
    children.set(name, child);
    const url = `http://127.0.0.1:${portOf(name)}/health/ready`;
    await untilReady(child, { name, ms: READY_MS, probe: () => requireOk(url) });
  }

  /** SIGKILL: no handler runs, nothing is flushed. */
  async function kill(name: string): Promise<void> {
    if (name === SIDECARS) return sidecars.kill();
    const child = children.get(name);
    if (!child) throw new Error(`${name} does not run`);
    children.delete(name);
    await child.kill();
  }

  /** SIGTERM, as a rolling update does it. */
  async function stopOne(name: string): Promise<void> {
    const child = children.get(name);
    children.delete(name);
    await child?.stop();
  }

  async function requireNothingUnsent(): Promise<void> {
    const [row] = await database.sql<{ unsent: number; unpublished: number }[]>`
      select (select count(*) from outbox where sent_at is null and parked_at is null)::int as unsent,
             (select count(*) from reminder_schedule
                 where (status = 'triggered' and published_at is null) or (status = 'pending' and trigger_at <= now()))::int as unpublished`;
    if (row?.unsent !== 0 || row.unpublished !== 0) throw new Error(`not published: ${JSON.stringify(row)}`);
  }

  async function requireNothingWaiting(): Promise<void> {
    const waiting = (await sidecars.waiting()).filter(({ lag }) => lag > 0);
    if (waiting.length > 0) throw new Error(`not consumed: ${JSON.stringify(waiting)}`);
  }

  await start(SIDECARS);
  await Promise.all(placed.map(({ name }) => start(name)));

  const closing = opened.move();
  return {
    database,
    secrets,
    /** Of the first replica of each app. */
    ports: stack.ports,
    sidecarPorts: stack.sidecarPorts,
    lines,
    sidecars,
    /** The names of the processes, in the order of their start. */
    names: placed.map(({ name }) => name),
    pidOf: (name: string) => children.get(name)?.pid,
    start,
    kill,
    stopOne,
    stop: () => closing.disposeAsync(),
    /** Address of a path under /api/v1 on the service that the gateway would choose; `at` names a replica. */
    url: (path: string, at?: string) => `http://127.0.0.1:${portOf(at ?? serviceOf(path) ?? 'chat-api')}${path}`,
    fault: (appId: AppId, fault: Fault) => sidecars.fault(appId, fault),
    /** Waits until every written event has been published and every consumer has caught up. */
    async settled(ms = 20_000): Promise<void> {
      const isSettled = async () => {
        // Twice: an event that is consumed after the first query may make a reminder, and no longer waits at the second one.
        for (let look = 1; look <= 2; look++) {
          await requireNothingUnsent();
          await requireNothingWaiting();
        }
        return true;
      };
      await eventually(isSettled, { ms, what: 'all events to be delivered' });
    },
    /** Publishes as `appId` what our own code never would. @returns the id of the CloudEvent */
    async publishRaw(appId: AppId, topic: string, data: unknown, id: string = crypto.randomUUID()): Promise<string> {
      const url = `http://127.0.0.1:${stack.sidecarPorts[appId]}/v1.0/publish/taskflow-pubsub/${topic}?metadata.cloudevent.id=${id}`;
      const headers = { 'content-type': 'application/json', 'dapr-api-token': secrets.DAPR_API_TOKEN };
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(data) });
      if (response.status !== 204) throw new Error(`publish answered ${response.status}: ${await response.text()}`);
      return id;
    },
  };
}
