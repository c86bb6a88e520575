/** One line of the tree as somebody might get it wrong, and who must say so. */
export type Mistake = {
  what: string;
  /** From `gitops/` on. */
  file: string;
  from: string | RegExp;
  to: string;
  by: 'Kustomize' | 'API server' | 'Pod Security' | 'injector' | 'promtool' | 'this check';
  /** Part of what it says. */
  says: string;
};

const chatApi = 'base/chat-api/deployment.yaml';

/** Those that only the real programs see; what our own rules refuse is tried where they are. */
export const mistakes: Mistake[] = [
  of('Kustomize', 'a file that is not there', 'base/chat-api/kustomization.yaml', 'pdb.yaml', 'pbd.yaml', 'pbd.yaml'),
  of(
    'API server',
    'a patch of a field that is not there',
    'data/overlays/cloud/kustomization.yaml',
    '/spec/replicas, value: 3',
    '/spec/replica, value: 3',
    'replica',
  ),
  of(
    'this check',
    'a chart of another version',
    'apps/base/platform.yaml',
    'on: 1.18.2',
    'on: 1.18.3',
    'judged by 1.18.2',
  ),
  of('this check', 'YAML that is none', 'base/gateway/gateway.yaml', 'listeners:', 'listeners: [', 'gateway.yaml'),
  of('this check', 'a line lost from a list', 'base/chat-api/kustomization.yaml', '  - pdb.yaml\n', '', 'names it'),
  of('API server', 'an unknown field', chatApi, 'imagePullPolicy', 'imagePullPolice', '.imagePullPolice'),
  of('API server', 'a number where a text belongs', chatApi, `port: '8000'`, 'port: 8000', 'dapr.io/app-port'),
  of('API server', 'a variable twice', chatApi, 'name: JWT_SECRET_PREVIOUS', 'name: JWT_SECRET', 'JWT_SECRET'),
  of('API server', 'a port without its name', chatApi, 'name: http, containerPort', 'nam: http, containerPort', 'nam'),
  of(
    'API server',
    'a selector of other pods',
    chatApi,
    'selector: { matchLabels: { app.kubernetes.io/name: chat-api',
    'selector: { matchLabels: { app.kubernetes.io/name: chatapi',
    'selector',
  ),
  of(
    'API server',
    'an account that is not there',
    chatApi,
    'serviceAccountName: chat-api',
    'serviceAccountName: chatapi',
    'serviceaccount "chatapi" not found',
  ),
  of(
    'API server',
    'a Job that never ends',
    'base/migration/job.yaml',
    'Policy: Never',
    'Policy: Always',
    'restartPolicy',
  ),
  of(
    'API server',
    'two limits of one disruption',
    'base/chat-api/pdb.yaml',
    'maxUnavailable: 1',
    'maxUnavailable: 1\n  minAvailable: 1',
    'cannot be both set',
  ),
  of('API server', 'a scale in words', 'components/autoscaling/chat-api.yaml', 's: 6', `s: 'six'`, 'maxReplicas'),
  of('API server', 'a protocol', 'components/network-policies/postgres.yaml', 'TCP', 'TPC', 'TPC'),
  of(
    'API server',
    'a scope below spec',
    'base/dapr/subscriptions.yaml',
    '\nscopes: [chat-api]',
    '\n  scopes: [chat-api]',
    '.spec.scopes',
  ),
  of('API server', 'a component of no type', 'base/dapr/pubsub.yaml', '  type: pubsub.kafka\n', '', 'spec.type'),
  of('API server', 'Kafka as it was', 'data/base/topics.yaml', 'strimzi.io/v1', 'strimzi.io/v1beta2', 'knows no Kafka'),
  of(
    'API server',
    'a role of no broker',
    'data/overlays/minikube/kafka-nodes.yaml',
    'r, broker]',
    'r, brokr]',
    'brokr',
  ),
  of('API server', 'a right that Kafka lacks', 'data/base/kafka-users.yaml', '[Write, De', '[Reed, De', 'Reed'),
  of(
    'API server',
    'a number for postgresql.conf',
    'data/overlays/minikube/postgres.yaml',
    `max_connections: '200'`,
    'max_connections: 200',
    'max_connections',
  ),
  of('API server', 'a time of no unit', 'base/gateway/routes.yaml', 'request: 10s', 'request: 10', 'timeouts.request'),
  of('Kustomize', 'a certificate of no name', 'base/gateway/certificate.yaml', 'dnsNames:', 'dnsName:', 'dnsName'),
  of('API server', 'sync in other letters', 'apps/base/taskflow.yaml', 'selfHeal', 'selfheal', 'selfheal'),
  of('Pod Security', 'a root user', chatApi, 'runAsNonRoot: true', 'runAsNonRoot: false', 'violates PodSecurity'),
  of(
    'Pod Security',
    'a sidecar with capabilities',
    'platform/dapr/values.yaml',
    'sidecarDropALLCapabilities: true',
    'sidecarDropALLCapabilities: false',
    'violates PodSecurity',
  ),
  of('injector', 'two deliveries at once', chatApi, `concurrency: '1'`, `concurrency: '2'`, 'app-max-concurrency must'),
  of('injector', 'a sidecar of another app', chatApi, 'app-id: chat-api', 'app-id: chat', 'app-id must be chat-api'),
  of(
    'injector',
    'an app health check',
    chatApi,
    `dapr.io/app-protocol`,
    `dapr.io/enable-app-health-check: 'true'\n        dapr.io/app-protocol`,
    'enable-app-health-check must be absent',
  ),
  of('injector', 'a configuration of no name', chatApi, /\n *dapr.io\/config: taskflow/, '', 'config must be taskflow'),
  of(
    'injector',
    'no token of the API',
    chatApi,
    'dapr.io/api-token-secret',
    'dapr.io/api-tokens-secret',
    'lacks DAPR_API',
  ),
  of(
    'injector',
    'actors after all',
    'platform/dapr/values.yaml',
    'actors: { enabled: false }',
    'actors: { enabled: true }',
    'placement-host-address',
  ),
  of('promtool', 'a rule that does not parse', 'observability/rules/events.yaml', 'rate(', 'rate((', 'parse'),
  of('promtool', 'another threshold', 'observability/rules/events.yaml', '> 0.01', '> 0.5', 'PublishErrors'),
];

function of(by: Mistake['by'], what: string, file: string, from: string | RegExp, to: string, says: string): Mistake {
  return { by, what, file, from, to, says };
}
