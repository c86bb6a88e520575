import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, spawnCommand, untilReady } from '../../services/local/machine/child.ts';
import { processEnvironment } from '../../services/local/machine/environment.ts';
import { freePorts } from '../../services/local/machine/port.ts';
import { createKubeApi, type KubeApi } from './kube-api.ts';

export type ControlPlane = {
  api: KubeApi;
  /** File of a user who may do everything: for any other client, a controller manager among them. */
  kubeconfig: string;
  /** File of the key that signs the tokens of service accounts. */
  serviceAccountKey: string;
  stop(): Promise<void>;
};

const READY_MS = 60_000;

/**
 * Kubernetes' own API server on an etcd of its own, both on the loopback, empty; their data and keys lie in `folder`. There
 * is no controller and no node: what a test wants to happen to its objects, it starts on the `kubeconfig`.
 */
export async function startControlPlane({
  programs,
  folder,
  flags: given = [],
  onLine = () => {},
}: {
  programs: { etcd: string; apiServer: string };
  folder: string;
  /** More of the API server's. */
  flags?: string[];
  onLine?: (line: string) => void;
}): Promise<ControlPlane> {
  const [clientPort = 0, peerPort = 0, port = 0] = freePorts(3);
  const pki = join(folder, 'pki');
  await mkdir(pki, { recursive: true, mode: 0o700 });
  await using opened = new AsyncDisposableStack(); // closed again when something does not start

  const etcd = start([programs.etcd, ...etcdFlags(join(folder, 'etcd'), clientPort, peerPort)], onLine);
  opened.defer(etcd.stop);
  const token = crypto.randomUUID();
  const serviceAccountKey = await writeKey(pki);
  const tokens = join(pki, 'tokens.csv');
  await writeFile(tokens, `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  const flags = apiServerFlags({ pki, etcd: `http://127.0.0.1:${clientPort}`, port, tokens, serviceAccountKey });
  // Waits for etcd by itself.
  const apiServer = start([programs.apiServer, ...flags, ...given], onLine);
  opened.defer(apiServer.stop);

  const url = `https://127.0.0.1:${port}`;
  const certificate = join(pki, 'apiserver.crt');
  const connect = async () => createKubeApi({ url, token, ca: await readFile(certificate, 'utf8') });
  await untilReady(apiServer, { name: 'kube-apiserver', ms: READY_MS, probe: async () => (await connect()).ready() });
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigText({ url, token, certificate }), { mode: 0o600 });
  const running = opened.move();
  return { api: await connect(), kubeconfig, serviceAccountKey, stop: () => running.disposeAsync() };
}

/** What a process of a cluster gets: it may collect its garbage rarely, which saves a seventh of its processor time. */
export const partEnvironment = () => ({ ...processEnvironment(), GOGC: '400' });

const start = (command: string[], onLine: (line: string) => void): Child =>
  spawnCommand(command, partEnvironment(), { onLine, limitMs: 10_000 });

/** Nothing here outlives the test, so nothing needs to reach the disk. Debian's 3.4 will not do: watches hang on it. */
function etcdFlags(folder: string, clientPort: number, peerPort: number): string[] {
  const [client, peer] = [`http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`];
  return [
    ...['--name=test', `--data-dir=${folder}`, '--unsafe-no-fsync', '--log-level=warn'],
    ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
    ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=test=${peer}`],
  ];
}

type ApiServer = { pki: string; etcd: string; port: number; tokens: string; serviceAccountKey: string };

function apiServerFlags({ pki, etcd, port, tokens, serviceAccountKey }: ApiServer): string[] {
  return [
    `--etcd-servers=${etcd}`,
    // It makes its own certificate there, for 127.0.0.1, which is its own authority.
    ...[`--cert-dir=${pki}`, '--bind-address=127.0.0.1', `--secure-port=${port}`],
    // It refuses to give out a loopback address as the endpoint of the Service `kubernetes`.
    ...['--advertise-address=127.0.0.1', '--endpoint-reconciler-type=none', '--service-cluster-ip-range=10.96.0.0/16'],
    ...[`--token-auth-file=${tokens}`, '--authorization-mode=RBAC'],
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${serviceAccountKey}`,
    `--service-account-signing-key-file=${serviceAccountKey}`,
    '--enable-priority-and-fairness=false',
  ];
}

/** Only the older form of a private key is read by all who sign tokens. */
async function writeKey(pki: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = join(pki, 'service-accounts.key');
  await writeFile(file, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return file;
}

function kubeconfigText({ url, token, certificate }: { url: string; token: string; certificate: string }): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': certificate } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }],
    'current-context': 'test',
  };
  return Bun.YAML.stringify(config, null, 2);
}
