import { setTimeout as sleep } from 'node:timers/promises';
import { createBell } from './bell.ts';
import { type Faults, noFaults } from './faults.ts';

/** One sidecar: several with one `appId` are replicas. Without `appPort` nothing is delivered to it or invoked on it. */
export type App = { appId: string; appPort?: number | undefined; httpPort: number };

export type Sidecar = ReturnType<typeof createSidecar>;
export type Sidecars = ReturnType<typeof createSidecars>;

type Handle = (sidecar: Sidecar, request: Request) => Response | Promise<Response>;

const APP_PROBE_MS = 50;

/** All sidecars, and who of an app's replicas has which partition. */
export function createSidecars(apps: App[], handle: Handle) {
  /** Rung when a sidecar came, went or changed its faults. */
  const changed = createBell();
  const all = apps.map((app) => createSidecar(app, handle, changed.ring));
  const turns = new Map<string, number>();

  const readyOf = (appId: string) =>
    all.filter((sidecar) => sidecar.appId === appId && sidecar.isReady() && sidecar.appPort);

  /** Who has this partition at this moment. */
  function ownerNow(appId: string, partition: number): Sidecar | undefined {
    const ready = readyOf(appId);
    return ready[partition % ready.length];
  }

  return {
    all,
    ownerNow,
    of: (appId: string) => all.filter((sidecar) => sidecar.appId === appId),
    changed: () => changed.rung(),
    wake: () => changed.ring(),
    /** Waits for a replica that is up, as a group waits for a member; null when aborted meanwhile. */
    async owner(appId: string, partition: number, signal: AbortSignal): Promise<Sidecar | null> {
      while (!signal.aborted) {
        const owner = ownerNow(appId, partition);
        if (owner) return owner;
        await changed.rung();
      }
      return null;
    },
    /** The replica whose turn it is to be invoked, whether or not its app listens. */
    next(appId: string): Sidecar | undefined {
      const running = all.filter((sidecar) => sidecar.appId === appId && sidecar.isOn() && sidecar.appPort);
      const turn = turns.get(appId) ?? 0;
      turns.set(appId, turn + 1);
      return running[turn % running.length];
    },
    cutCalls(): void {
      for (const sidecar of all) sidecar.cutCalls();
    },
  };
}

function createSidecar({ appId, appPort, httpPort }: App, handle: Handle, changed: () => void) {
  let server: Bun.Server<undefined> | null = null;
  let port = httpPort;
  let faults: Faults = noFaults;
  let appListened = false;
  let lastTurn: Promise<unknown> = Promise.resolve();
  const calls = new Set<AbortController>();

  const sidecar = {
    appId,
    appPort: appPort ?? null,
    get httpPort() {
      return port;
    },
    get faults() {
      return faults;
    },
    isOn: () => server !== null,
    /** As daprd's readiness: not before the app's port listened once. */
    isReady: () => server !== null && (appListened || appPort === undefined),
    open,
    close,
    setFaults(change: Partial<Faults>): void {
      faults = { ...faults, ...change };
      if (change.state === 'on') open();
      if (change.state === 'off') close();
      changed();
    },
    /** One after the other, whatever comes of each. */
    inTurn<T>(work: () => Promise<T>): Promise<T> {
      const turn = lastTurn.then(work, work);
      lastTurn = turn.catch(() => {});
      return turn;
    },
    /** A call to the app: ends with its deadline, or with the sidecar. */
    beginCall(timeoutMs: number | null) {
      const controller = new AbortController();
      calls.add(controller);
      const timer = timeoutMs === null ? undefined : setTimeout(() => controller.abort(), timeoutMs);
      return {
        signal: controller.signal,
        end(): void {
          clearTimeout(timer);
          calls.delete(controller);
        },
      };
    },
    cutCalls(): void {
      for (const call of calls) call.abort();
    },
  };

  function open(): void {
    if (server) return;
    server = Bun.serve({
      hostname: '127.0.0.1',
      port,
      idleTimeout: 0,
      fetch: (request) => handle(sidecar, request),
    });
    port = server.port ?? port;
    if (appPort !== undefined) void waitForApp(appPort, server);
  }

  /** As if killed: the port refuses, calls under way end without their answer being heard. */
  function close(): void {
    void server?.stop(true);
    server = null;
    appListened = false;
    sidecar.cutCalls();
    changed();
  }

  async function waitForApp(appPort: number, opened: typeof server): Promise<void> {
    while (server === opened && !(await listens(appPort))) await sleep(APP_PROBE_MS);
    if (server !== opened) return;
    appListened = true;
    changed();
  }

  return sidecar;
}

async function listens(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
