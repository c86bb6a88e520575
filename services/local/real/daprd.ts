import { processEnvironment } from '../machine/environment.ts';
import { freePorts } from '../machine/port.ts';
import { type Child, spawnCommand } from '../machine/child.ts';
import { type Authority, TRUST_DOMAIN } from './sentry.ts';

export type DaprdOptions = {
  /** Path of the program. */
  daprd: string;
  appId: string;
  appPort: number;
  httpPort: number;
  /** Folder of Component, Subscriptions and Resiliency. */
  resources: string;
  /** File of the Configuration. */
  configuration: string;
  authority: Authority;
  tokens: { DAPR_API_TOKEN: string; APP_API_TOKEN: string };
  onLine?: (line: string) => void;
  logLevel?: 'info' | 'error';
};

/**
 * One Dapr sidecar on the loopback, with the flags that its injector would give it in a cluster, but quicker to try a component again.
 * Not ready yet: `/v1.0/healthz/outbound` answers 204 some 0.3 s later, `/v1.0/healthz` once the app's port listens.
 */
export function startDaprd(options: DaprdOptions): Child {
  const { daprd, appId, appPort, httpPort, resources, configuration, authority, tokens } = options;
  const { onLine = () => {}, logLevel = 'info' } = options;
  const [grpcPort, internalPort, metricsPort, profilePort] = freePorts(4);
  const flags = {
    'app-id': appId,
    'app-port': appPort,
    'app-protocol': 'http',
    // As dapr.io/app-max-concurrency: with more, events are lost while the app is away (`test/contract/policy.ts` has the evidence).
    'app-max-concurrency': 1,
    'dapr-http-port': httpPort,
    'dapr-grpc-port': grpcPort,
    'dapr-internal-grpc-port': internalPort,
    'metrics-port': metricsPort,
    'profile-port': profilePort,
    'dapr-listen-addresses': '127.0.0.1',
    'dapr-internal-grpc-listen-address': '127.0.0.1',
    'metrics-listen-address': '127.0.0.1',
    'resources-path': quoted(resources),
    config: quoted(configuration),
    'enable-mtls': 'true',
    'sentry-address': authority.address,
    'control-plane-trust-domain': TRUST_DOMAIN,
    'disable-init-endpoints': 'config,subscribe',
    // A component whose broker was absent at the start is tried again so often; Dapr's own 60 s make tests wait.
    'hot-reload-reconcile-interval': '5s',
    'log-level': logLevel,
    'log-as-json': 'true',
  };
  const command = [daprd, ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
  const environment = {
    ...processEnvironment(),
    ...tokens,
    DAPR_HOST_IP: '127.0.0.1',
    // As a CPU limit does in a cluster: five or more of them share this machine's cores, and with one thread each needs a
    // fifth less CPU for an event than with two.
    GOMAXPROCS: '1',
    DAPR_TRUST_ANCHORS: authority.trustAnchors,
    // As access control knows its callers.
    NAMESPACE: 'taskflow',
  };
  // Its own grace is 5 s; longer when deliveries hang.
  return spawnCommand(command, environment, { onLine, limitMs: 10_000 });
}

/** For a flag that takes a list, which daprd reads as CSV. */
const quoted = (path: string) => `"${path.replaceAll('"', '""')}"`;
