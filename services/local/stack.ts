import type { TObject } from '@sinclair/typebox';
import { join } from 'node:path';
import { ConfigError, readConfig } from '#shared/config';
import { schema as auditLogger } from '../audit-logger/config.ts';
import { schema as chatApi } from '../chat-api/config.ts';
import { schema as notificationService } from '../notification-service/config.ts';
import { schema as recurringTaskProcessor } from '../recurring-task-processor/config.ts';
import { schema as reminderService } from '../reminder-service/config.ts';
import { type AppId, apps } from './machine/apps.ts';
import { type Child, spawnProgram } from './machine/child.ts';
import { chosen, processEnvironment } from './machine/environment.ts';
import { Refusal } from './machine/refusal.ts';
import type { Secrets } from './state/secrets.ts';

const root = join(import.meta.dir, '../..');

/** The settings that each service reads. */
export const schemas: Record<AppId, TObject> = {
  'chat-api': chatApi,
  'notification-service': notificationService,
  'reminder-service': reminderService,
  'audit-logger': auditLogger,
  'recurring-task-processor': recurringTaskProcessor,
};

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

/** What `up` and its user tell one service, and `ops` after it: the settings that its schema names, no others. */
export function serviceSettings(stack: Stack, appId: AppId): Record<string, string> {
  const { JWT_SECRET, SERVICE_TOKEN, APP_API_TOKEN, DAPR_API_TOKEN, AUDIT_SEAL_KEY } = stack.secrets;
  return chosen(Object.keys(schemas[appId].properties), {
    ...process.env,
    // Of who runs `ops`, not of who ran `up`.
    OPERATOR: undefined,
    ...{ JWT_SECRET, SERVICE_TOKEN, APP_API_TOKEN, DAPR_API_TOKEN, AUDIT_SEAL_KEY },
    HOST: '127.0.0.1',
    PORT: String(stack.ports[appId]),
    DATABASE_URL: stack.databaseUrl(appId),
    DAPR_HTTP_PORT: String(stack.sidecarPorts[appId]),
    PUBLIC_URL: stack.publicUrl,
    // Streams are few here and Ctrl-C should be quick; the stand-in outlives its services, so none need answer for it.
    DRAIN_MS: '1000',
    DELIVERY_DRAIN_MS: '0',
    VERSION_COMMIT: stack.commit,
  });
}

/** The environment a service is started with. */
export function serviceEnvironment(stack: Stack, appId: AppId): Record<string, string> {
  return { ...processEnvironment(), ...serviceSettings(stack, appId) };
}

/** Throws `Refusal` for a setting in the user's environment that no service could start with: each by its name. */
export function refuseBadSettings(stack: Stack): void {
  const problems = apps.flatMap(({ appId }) => {
    try {
      readConfig(schemas[appId], serviceSettings(stack, appId));
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.message.split('\n');
      throw error;
    }
  });
  if (problems.length > 0) throw new Refusal([...new Set(problems)].join('\n'));
}

export function sidecarEnvironment(
  { secrets, ports, sidecarPorts }: Stack,
  { databaseUrl, controlPort, controlToken }: { databaseUrl: string; controlPort: number; controlToken: string },
): Record<string, string> {
  return {
    ...processEnvironment(),
    SIDECAR_DATABASE_URL: databaseUrl,
    SIDECAR_APPS: JSON.stringify(
      apps.map(({ appId }) => ({ appId, appPort: ports[appId], httpPort: sidecarPorts[appId] })),
    ),
    SIDECAR_RESOURCES: join(root, 'gitops/base/dapr'),
    SIDECAR_CONTROL_PORT: String(controlPort),
    SIDECAR_CONTROL_TOKEN: controlToken,
    DAPR_API_TOKEN: secrets.DAPR_API_TOKEN,
    APP_API_TOKEN: secrets.APP_API_TOKEN,
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
