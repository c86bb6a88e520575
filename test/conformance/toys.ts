import { PUBSUB } from '#shared/events';
import type { AppId } from '../../services/local/machine/apps.ts';
import { freePorts, isFree } from '../../services/local/machine/port.ts';
import { createSidecars } from '../support/sidecars.ts';
import { eventually } from '../support/wait.ts';

// Toy apps, each behind a sidecar of its own: the stand-in's, or a real daprd with Kafka. They record what the sidecar
// brings and answer as a test tells them.

export type Delivery = {
  id: string;
  path: string;
  headers: Record<string, string>;
  body: Record<string, unknown>;
  /** ms, to compare with others */
  at: number;
};
export type Answer = () => Response | Promise<Response>;
export type Toy = ReturnType<typeof createToy>;
export type Toys = Awaited<ReturnType<typeof startToys>>;

type Call = { method?: string; headers?: Record<string, string>; body?: string };
type Event = { id?: string; from?: string; topic?: string; data?: unknown; metadata?: Record<string, string> };

export const CREATED = 'taskflow.tasks.created';
export const UPDATED = 'taskflow.tasks.updated';
export const tokens = { DAPR_API_TOKEN: 'to the sidecar', APP_API_TOKEN: 'to the app' };

/** One app and one sidecar for each name; `audit-logger#2` is the second replica of audit-logger. Those in `absent` do not listen yet. */
export async function startToys(names: string[], { absent = [] }: { absent?: string[] } = {}) {
  const [ports, sidecarPorts] = [portsOfApps(names.length), freePorts(names.length)];
  const placed = names.map((name, i) => ({
    // The sidecars take any app id; only the services' own have subscriptions.
    appId: name.split('#')[0] as AppId,
    name,
    port: ports[i] ?? 0,
    sidecarPort: sidecarPorts[i] ?? 0,
  }));
  const toys = new Map(placed.map(({ name, port }) => [name, createToy(port)]));
  const sidecars = await createSidecars({ placed, tokens, onLine: () => {} });

  async function stop(): Promise<void> {
    await sidecars.stop();
    for (const toy of toys.values()) await toy.close();
  }

  for (const [name, toy] of toys) if (!absent.includes(name)) toy.open();
  await sidecars.start().catch(async (error) => {
    await stop();
    throw error;
  });

  function app(name: string): Toy {
    const toy = toys.get(name);
    if (!toy) throw new Error(`there is no ${name}`);
    return toy;
  }

  /** Asks the app's own sidecar, without its token. */
  function ask(name: string, path: string, init: RequestInit = {}): Promise<Response> {
    const port = placed.find((each) => each.name === name)?.sidecarPort;
    return fetch(`http://127.0.0.1:${port}${path}`, init);
  }

  /** Asks the app's own sidecar as the app does, with its token. */
  function call(name: string, path: string, { headers, ...init }: Call = {}): Promise<Response> {
    return ask(name, path, { ...init, headers: { 'dapr-api-token': tokens.DAPR_API_TOKEN, ...headers } });
  }

  function post(name: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return call(name, path, {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  function tryToPublish({ id = crypto.randomUUID(), from = 'chat-api', topic = CREATED, data = {}, metadata }: Event) {
    const query = new URLSearchParams({ 'metadata.cloudevent.id': id });
    for (const [key, value] of Object.entries(metadata ?? {})) query.set(`metadata.${key}`, value);
    return post(from, `/v1.0/publish/${PUBSUB}/${topic}?${query.toString()}`, data);
  }

  return {
    sidecars,
    app,
    ask,
    call,
    post,
    stop,
    tryToPublish,
    /** @returns the event's id, once the broker has it */
    async publish({ id = crypto.randomUUID(), ...event }: Event = {}): Promise<string> {
      const response = await tryToPublish({ id, ...event });
      if (response.status !== 204) throw new Error(`publish answered ${response.status}: ${await response.text()}`);
      return id;
    },
    /** Waits until the app has acknowledged everything. */
    caughtUp: (appId: string, ms = 10_000) =>
      eventually(
        async () => {
          const own = (await sidecars.waiting()).filter(({ app_id }) => app_id === appId);
          return own.length > 0 && own.every(({ lag }) => lag === 0);
        },
        { ms, what: `${appId} to catch up` },
      ),
  };
}

/** Below all that `freePorts` gives: nobody else may listen there while an app is gone, and take its deliveries. */
function portsOfApps(count: number): number[] {
  const found: number[] = [];
  for (let port = 4000 + ((process.pid * 97) % 5000); found.length < count; port++) if (isFree(port)) found.push(port);
  return found;
}

/** Its port stays its own while it is closed. */
function createToy(port: number) {
  const deliveries: Delivery[] = [];
  const answers = new Map<string, Answer[]>();
  let server: Bun.Server<undefined> | undefined;

  async function take(request: Request): Promise<Response> {
    const { pathname: path } = new URL(request.url);
    if (!path.startsWith('/events/')) return toy.invoked(request);
    const body = (await request.json()) as Record<string, unknown>;
    const id = String(body.id);
    deliveries.push({ id, path, headers: request.headers.toJSON(), body, at: performance.now() });
    const answer = answers.get(`${path} ${id}`)?.shift();
    return answer ? answer() : Response.json({ status: 'SUCCESS' });
  }

  const toy = {
    deliveries,
    open(): void {
      // Longer than daprd keeps idle connections: it must be the one to close them.
      server = Bun.serve({ port, hostname: '127.0.0.1', idleTimeout: 120, fetch: take });
    },
    /** As killed: the port refuses, open connections end without an answer. */
    async close(): Promise<void> {
      await server?.stop(true);
      server = undefined;
    },
    /** What it answers to the first deliveries of that event; SUCCESS after that. @returns the event's id */
    willAnswer(first: Answer[], { id = crypto.randomUUID() as string, path = '/events/created' } = {}): string {
      answers.set(`${path} ${id}`, first);
      return id;
    },
    /** What it answers to a call that is no delivery. */
    invoked: (_request: Request): Response | Promise<Response> => new Response(),
    of: (id: string, path?: string) =>
      deliveries.filter((delivery) => delivery.id === id && (path === undefined || delivery.path === path)),
    /** Waits for so many deliveries of that event. @returns all there are */
    receives: (id: string, { count = 1, path = '/events/created', ms = 10_000 } = {}): Promise<Delivery[]> =>
      eventually(
        () => {
          const seen = toy.of(id, path);
          return seen.length >= count && seen;
        },
        { ms, what: `${count} deliveries to ${path}` },
      ),
  };
  return toy;
}

/** Status and code of an answer in Dapr's form. */
export async function refusal(response: Response): Promise<[status: number, errorCode: string]> {
  const { errorCode } = (await response.json()) as { errorCode: string };
  return [response.status, errorCode];
}
