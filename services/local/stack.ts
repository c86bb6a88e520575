import { join } from 'node:path';
import { type AppId, apps } from './apps.ts';
import { type Child, spawnProgram } from './child.ts';
import type { Secrets } from './state.ts';

const root = join(import.meta.dir, '../..');

/** What five services on one machine share and how they differ: enough to compute each one's environment. */
export type Stack = {
  secrets: Secrets;
  /** With the service's own role. */
  databaseUrl(appId: AppId): string;
  ports: Record<AppId, number>;
  /** The HTTP port of each service's own sidecar. */
  sidecarPorts: Record<AppId, number>;
  publicUrl: string;
  /** Commit the code was taken from. */
  commit: string;
};

/**
 * The environment a service is started with: its own settings over what the caller's environment holds (so that any
 * other setting of the configuration table can be given to `up`).
 */
export function serviceEnvironment(stack: Stack, appId: AppId): Record<string, string> {
  const { secrets } = stack;
  return {
    ...inherited(),
    HOST: '127.0.0.1',
    PORT: String(stack.ports[appId]),
    APP_ID: appId,
    DATABASE_URL: stack.databaseUrl(appId),
    DAPR_HTTP_PORT: String(stack.sidecarPorts[appId]),
    DAPR_API_TOKEN: secrets.DAPR_API_TOKEN,
    APP_API_TOKEN: secrets.APP_API_TOKEN,
    JWT_SECRET: secrets.JWT_SECRET,
    ...(appId === 'chat-api' || appId === 'recurring-task-processor' ? { SERVICE_TOKEN: secrets.SERVICE_TOKEN } : {}),
    ...(appId === 'audit-logger' ? { AUDIT_SEAL_KEY: secrets.AUDIT_SEAL_KEY } : {}),
    PUBLIC_URL: stack.publicUrl,
    LOG_LEVEL: process.env.LOG_LEVEL || 'info',
    // Streams are few here and Ctrl-C should be quick; the stand-in outlives its services, so none need answer for it.
    DRAIN_MS: '1000',
    DELIVERY_DRAIN_MS: '0',
    VERSION_COMMIT: stack.commit,
  };
}

export function sidecarEnvironment(
  { secrets, ports, sidecarPorts }: Stack,
  { databaseUrl, controlPort }: { databaseUrl: string; controlPort: number },
): Record<string, string> {
  return {
    ...inherited(),
    SIDECAR_DATABASE_URL: databaseUrl,
    SIDECAR_APPS: JSON.stringify(
      apps.map(({ appId }) => ({ appId, appPort: ports[appId], httpPort: sidecarPorts[appId] })),
    ),
    SIDECAR_RESOURCES: join(root, 'gitops/base/dapr'),
    SIDECAR_CONTROL_PORT: String(controlPort),
    DAPR_API_TOKEN: secrets.DAPR_API_TOKEN,
    APP_API_TOKEN: secrets.APP_API_TOKEN,
    LOG_LEVEL: process.env.LOG_LEVEL || 'info',
  };
}

/**
 * Starts `services/<name>/main.ts` (`local/sidecar` for the stand-in) and hands over each line it prints. It ends with
 * this process, whatever ends this one; `stop` is SIGTERM, and SIGKILL after `limitMs`.
 */
export function spawnService(
  name: AppId | 'local/sidecar',
  environment: Record<string, string>,
  { onLine, limitMs = 5000 }: { onLine: (line: string) => void; limitMs?: number },
): Child {
  return spawnProgram(join(root, 'services', name, 'main.ts'), environment, { onLine, limitMs });
}

/** Without what belongs to `up` itself. */
function inherited(): Record<string, string> {
  const own = ['DATABASE_URL', 'DAPR_HTTP_PORT', 'PORT', 'HOST', 'TASKFLOW_STATE'];
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) =>
      value === undefined || own.includes(key) ? [] : [[key, value]],
    ),
  );
}
