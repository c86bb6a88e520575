import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processEnvironment } from '../machine/environment.ts';
import { freePorts } from '../machine/port.ts';
import { type Child, requireListener, requireOk, spawnCommand, untilReady } from '../machine/child.ts';

/** How a sidecar finds its certificate authority and whom it trusts (PEM). */
export type Authority = { address: string; trustAnchors: string };

/** As in Dapr's chart, less what only a cluster needs. */
const configuration = {
  apiVersion: 'dapr.io/v1alpha1',
  kind: 'Configuration',
  metadata: { name: 'daprsystem' },
  spec: { mtls: { enabled: true, workloadCertTTL: '24h', allowedClockSkew: '15m' } },
};
const READY_MS = 60_000;

/** What `accessControl` in `gitops/base/dapr` calls its trust domain. */
export const TRUST_DOMAIN = 'public';

/**
 * Dapr's certificate authority on the loopback; it keeps its root in `folder` and makes one if there is none. `launch`
 * resolves when it answers. Outside a cluster it believes every sidecar's word about its app id.
 */
export async function prepareSentry({
  program,
  folder,
  onLine = () => {},
}: {
  program: string;
  folder: string;
  onLine?: (line: string) => void;
}) {
  const credentials = join(folder, 'credentials');
  await mkdir(credentials, { recursive: true, mode: 0o700 }); // it holds the key of the root
  const settings = join(folder, 'daprsystem.yaml');
  await writeFile(settings, Bun.YAML.stringify(configuration, null, 2));
  const [port = 0, healthPort, metricsPort] = freePorts(3);
  const flags = {
    mode: 'standalone',
    config: settings,
    'trust-domain': TRUST_DOMAIN,
    'issuer-credentials': credentials,
    port,
    'listen-address': '127.0.0.1',
    'healthz-port': healthPort,
    'healthz-listen-address': '127.0.0.1',
    'metrics-port': metricsPort,
    'metrics-listen-address': '127.0.0.1',
    'log-level': 'error', // its warnings are of the credentials that it has just made itself
  };
  const command = [program, ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];

  return {
    port,
    async launch(): Promise<Child> {
      const child = spawnCommand(command, processEnvironment(), { onLine });
      const probe = async () => {
        await requireOk(`http://127.0.0.1:${healthPort}/healthz`);
        await requireListener(port); // it calls itself healthy a moment before
      };
      return untilReady(child, { name: 'sentry', ms: READY_MS, probe });
    },
    /** Once it has been launched. */
    async authority(): Promise<Authority> {
      return { address: `127.0.0.1:${port}`, trustAnchors: await readFile(join(credentials, 'ca.crt'), 'utf8') };
    },
  };
}
