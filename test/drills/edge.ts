import { setTimeout as sleep } from 'node:timers/promises';
import { nameOf, readDelivery } from '#shared/delivery';
import { DEAD_LETTER_ROUTE } from '#shared/events';
import { codeOf } from '../../services/local/machine/refusal.ts';

/** A service as its sidecar sees it: in order, answering 500, waiting for its database, or hanging. */
export type Mode = 'up' | 'fail' | 'hold' | 'hang';

export type Edge = ReturnType<typeof openEdge>;

/** One call of a sidecar: its events, by route and id, in order, and the length of its body. */
export type Offer = { events: string[]; bytes: number };

/** When a consumer gives its handler up and answers RETRY (`shared/subscribe.ts`). */
const HOLD_MS = 8000;
/** Beyond the 10 s after which the sidecar gives a delivery up (`gitops/base/dapr/resiliency.yaml`). */
const HANG_MS = 12_000;

/**
 * Stands between a sidecar and its service, passes everything on and counts the events that the service takes. It can
 * play a service in trouble, and go away: then nobody listens on its port, as when the service does not run.
 */
export function openEdge({ port, target, holdMs = HOLD_MS, hangMs = HANG_MS }: EdgeOptions) {
  const taken = new Map<string, number>();
  const offers: Offer[] = [];
  let mode: Mode = 'up';
  let change = Promise.withResolvers<void>();
  let server: Bun.Server<undefined> | undefined = listen();

  function listen(): Bun.Server<undefined> {
    // `reusePort` is on where `development` is off (Bun 1.4.5): then it would share the port of a service.
    return Bun.serve({
      hostname: '127.0.0.1',
      port,
      idleTimeout: 0,
      development: false,
      reusePort: false,
      fetch: answer,
    });
  }

  async function answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const body = await request.arrayBuffer();
    const events = eventsOf(pathname, body);
    if (events.length > 0) offers.push({ events, bytes: body.byteLength });
    if (mode === 'hold') {
      await Promise.race([change.promise, sleep(holdMs, undefined, { ref: false })]);
      if (mode === 'hold') return Response.json({ status: 'RETRY' });
    }
    if (mode === 'hang') await sleep(hangMs, undefined, { ref: false });
    else if (mode === 'up') return pass(request, `${pathname}${search}`, body, events);
    return new Response(null, { status: 500 });
  }

  async function pass(request: Request, path: string, body: ArrayBuffer, events: string[]): Promise<Response> {
    try {
      const response = await fetch(`http://127.0.0.1:${target}${path}`, {
        method: request.method,
        headers: withoutFraming(request.headers),
        ...(body.byteLength > 0 && { body }),
        decompress: false,
        redirect: 'manual',
      });
      const content = await response.text();
      if (content.includes('SUCCESS')) events.forEach(count);
      return new Response(content, { status: response.status, headers: withoutFraming(response.headers) });
    } catch (error) {
      // Killed with the events in hand: it may have done all but answer.
      if (codeOf(error) !== 'ECONNREFUSED') events.forEach(count);
      return new Response(null, { status: 502 });
    }
  }

  const count = (event: string) => void taken.set(event, (taken.get(event) ?? 0) + 1);

  return {
    port,
    /** How often the service has taken each event, by route and id. */
    taken,
    /** All that the sidecar has offered, taken or not, in order. */
    offers,
    /** How many events that were, each as often as it came. */
    offered: () => offers.reduce((sum, { events }) => sum + events.length, 0),
    set(next: Mode): void {
      mode = next;
      change.resolve();
      change = Promise.withResolvers();
    },
    /** What is under way is cut. Also the end of it. */
    async goAway(): Promise<void> {
      const leaving = server;
      server = undefined;
      await leaving?.stop(true);
    },
    comeBack(): void {
      server ??= listen();
    },
  };
}

type EdgeOptions = { port: number; target: number; holdMs?: number; hangMs?: number };

/** Route and id of each event delivered; of dead letters, and of everything else that a sidecar passes on, none. */
function eventsOf(path: string, body: ArrayBuffer): string[] {
  if (!path.startsWith('/events/') || path === DEAD_LETTER_ROUTE) return [];
  const { deliveries } = readDelivery(JSON.parse(decoder.decode(body)), {});
  return deliveries.map((delivery) => `${path} ${nameOf(delivery)}`);
}

const decoder = new TextDecoder();

/** How a message is cut on the wire belongs to one connection, and bodies are whole here. */
function withoutFraming(from: Headers): Headers {
  const headers = new Headers(from);
  for (const name of ['connection', 'transfer-encoding', 'content-length']) headers.delete(name);
  return headers;
}
