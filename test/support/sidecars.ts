import { join } from 'node:path';
import type { AppId } from '../../services/local/machine/apps.ts';
import { processEnvironment } from '../../services/local/machine/environment.ts';
import { freePort } from '../../services/local/machine/port.ts';
import { type Child, requireOk, untilReady } from '../../services/local/machine/child.ts';
import { spawnService } from '../../services/local/stack.ts';
import { createDatabase } from './database.ts';

/** A service process and its own sidecar, by the ports they have. */
export type Placed = { appId: AppId; name: string; port: number; sidecarPort: number };
export type Tokens = { DAPR_API_TOKEN: string; APP_API_TOKEN: string };

export type Fault = Partial<{
  state: 'on' | 'off';
  slow_ms: number;
  duplicate: boolean;
  reorder: boolean;
  publish: 'ok' | 'hang' | 'fail' | 'absent';
}>;

/** The broker and one sidecar for each placed service: the stand-in, or Kafka and daprd (`TASKFLOW_SIDECAR=real`). */
export type Sidecars = {
  /** Resolves when publishing works. Also after `kill`. */
  start(): Promise<void>;
  /** SIGKILL to all of it; what was published stays. */
  kill(): Promise<void>;
  /** Ends it and removes what it kept. */
  stop(): Promise<void>;
  fault(appId: AppId, fault: Fault): Promise<void>;
  /** SIGKILL to the sidecar of one service process. */
  killSidecar(name: string): Promise<void>;
  startSidecar(name: string): Promise<void>;
  /** The events that each app has not acknowledged yet. */
  waiting(): Promise<{ app_id: AppId; topic: string; lag: number }[]>;
  /** Of its processes that run, by name. */
  pids(): Map<string, number>;
};

export type SidecarsOptions = {
  placed: Placed[];
  tokens: Tokens;
  onLine: (line: string) => void;
  /** Folder of the manifests, where these are not those of `gitops/base/dapr`. */
  manifests?: string;
};

const DECLARED = join(import.meta.dir, '../../gitops/base/dapr');

/** Those that TASKFLOW_SIDECAR asks for; not started yet. */
export async function createSidecars(options: SidecarsOptions): Promise<Sidecars> {
  if (process.env.TASKFLOW_SIDECAR !== 'real') return createStandIn(options);
  // On demand: nothing else needs what lies there.
  const { createRealSidecars } = await import('../real/sidecars.ts');
  return createRealSidecars(options);
}

/** The stand-in of `services/local/sidecar`, its log in a database of its own. */
async function createStandIn({ placed, tokens, onLine, manifests = DECLARED }: SidecarsOptions): Promise<Sidecars> {
  const log = await createDatabase();
  const controlPort = freePort();
  const control = `http://127.0.0.1:${controlPort}`;
  const token = crypto.randomUUID();
  const headers = { authorization: `Bearer ${token}` };
  let child: Child | undefined;
  const environment = {
    ...processEnvironment(),
    ...tokens,
    SIDECAR_DATABASE_URL: log.url(),
    SIDECAR_APPS: JSON.stringify(
      placed.map(({ appId, port, sidecarPort }) => ({ appId, appPort: port, httpPort: sidecarPort })),
    ),
    SIDECAR_RESOURCES: manifests,
    SIDECAR_CONTROL_PORT: String(controlPort),
    SIDECAR_CONTROL_TOKEN: token,
  };

  async function fault(appId: AppId, fault: Fault, replica = ''): Promise<void> {
    const body = JSON.stringify(fault);
    const response = await fetch(`${control}/apps/${appId}/faults${replica}`, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(await response.text());
  }

  async function faultOfOne(name: string, change: Fault): Promise<void> {
    const appId = placed.find((each) => each.name === name)?.appId;
    if (!appId) throw new Error(`there is no ${name}`);
    const replicas = placed.filter((each) => each.appId === appId);
    return fault(appId, change, `?replica=${replicas.findIndex((each) => each.name === name)}`);
  }

  return {
    async start() {
      child = spawnService('local/sidecar', environment, { onLine });
      await untilReady(child, { name: 'the stand-in', ms: 60_000, probe: () => requireOk(`${control}/healthz`) });
    },
    async kill() {
      const killed = child;
      child = undefined;
      await killed?.kill();
    },
    async stop() {
      await child?.stop();
      await log.drop();
    },
    fault: (appId, change) => fault(appId, change),
    killSidecar: (name) => faultOfOne(name, { state: 'off' }),
    startSidecar: (name) => faultOfOne(name, { state: 'on' }),
    async waiting() {
      const response = await fetch(`${control}/state`, { headers });
      const { lag } = (await response.json()) as { lag: Awaited<ReturnType<Sidecars['waiting']>> };
      // It keeps account of every app of the manifests, and one that does not run catches up never.
      return lag.filter(({ app_id }) => placed.some(({ appId }) => appId === app_id));
    },
    pids: () => new Map(child ? [['stand-in', child.pid]] : []),
  };
}
