/** One line of the tree changed as anybody might, and what must then be said of it. */
export type Mistake = {
  what: string;
  /** From `gitops/` on. */
  file: string;
  from: string;
  to: string;
  /** Part of the refusal. */
  refusal: string;
};

const mistake = (what: string, file: string, from: string, to: string, refusal: string): Mistake => ({
  what,
  file,
  from,
  to,
  refusal,
});

const chatApi = 'base/chat-api/deployment.yaml';
const stream = 'base/gateway/stream.yaml';

/** Seen in the files as they stand. */
export const inFiles: Mistake[] = [
  mistake('a probe of another path', chatApi, 'path: /health/ready', 'path: /health/readyz', 'must ask /health/ready'),
  mistake('liveness that asks the database', chatApi, '/health/live,', '/health/ready,', 'must ask /health/live'),
  mistake('no limit of memory', chatApi, ', limits: { memory: 384Mi }', '', 'a limit of memory is missing'),
  mistake('no request of cpu', chatApi, 'cpu: 100m, ', '', 'requests of cpu and memory are missing'),
  mistake('root', chatApi, 'runAsNonRoot: true', 'runAsNonRoot: false', 'not as root'),
  mistake('a root that can be written', chatApi, 'readOnlyRootFilesystem: true', '', 'readOnlyRootFilesystem must'),
  mistake('capabilities', chatApi, 'drop: [ALL]', 'drop: [NET_RAW]', 'capabilities must drop ALL'),
  mistake('no seccomp', chatApi, 'RuntimeDefault', 'Unconfined', 'seccompProfile must be RuntimeDefault'),
  mistake(
    'a token of the API server',
    chatApi,
    'automountServiceAccountToken: false',
    '',
    'automountServiceAccountToken',
  ),
  mistake(
    'another name of its pods',
    chatApi,
    'labels: { app.kubernetes.io/name: chat-api }',
    'labels: { app: chat-api }',
    'of its pods must be its own name',
  ),
  mistake(
    'another name of a service',
    chatApi,
    '  name: chat-api\nspec',
    '  name: chat\nspec',
    'Deployment/chat-api is missing',
  ),
  mistake('a short grace', chatApi, 'GracePeriodSeconds: 30', 'GracePeriodSeconds: 15', 'must be 20 or more, got 15'),
  mistake('a port that nobody listens at', chatApi, 'containerPort: 8000', 'containerPort: 8080', 'http must be 8000'),
  mistake('another app id', chatApi, 'app-id: chat-api', 'app-id: chatapi', 'dapr.io/app-id must be chat-api'),
  mistake('no app port', chatApi, `dapr.io/app-port: '8000'`, '', 'dapr.io/app-port must be 8000, got nothing'),
  mistake('two deliveries at once', chatApi, `concurrency: '1'`, `concurrency: '2'`, 'app-max-concurrency must be 1'),
  mistake('no Configuration', chatApi, 'config: taskflow', 'config: taskflw', 'names no Configuration: taskflw'),
  mistake(
    'a sidecar without limits',
    chatApi,
    'dapr.io/sidecar-memory-limit: 192Mi',
    '',
    'sidecar-memory-limit is missing',
  ),
  mistake('no token of the app', chatApi, 'dapr.io/app-token-secret: app-api-token', '', 'app-token-secret must be'),
  mistake(
    'a sidecar that reads secrets',
    chatApi,
    `secret-store: 'true'`,
    `secret-store: 'false'`,
    'k8s-secret-store must',
  ),
  mistake(
    'a Service of another port',
    'base/chat-api/service.yaml',
    'targetPort: http',
    'targetPort: 8080',
    'from 80 to http',
  ),
  mistake(
    'a Job without an end',
    'base/migration/job.yaml',
    'activeDeadlineSeconds: 60',
    '',
    'activeDeadlineSeconds is missing',
  ),
  mistake(
    'a topic by another name',
    'data/base/topics.yaml',
    'tasks.created',
    'tasks.create',
    'tasks.created is missing',
  ),
  mistake(
    'a topic that may be pruned',
    'data/base/topics.yaml',
    'Prune=false,Delete=false',
    'Prune=false',
    'may be pruned',
  ),
  mistake(
    'too much for a user',
    'data/base/kafka-users.yaml',
    '[Read, Describe] }',
    '[Read, Write, Describe] }',
    'KafkaUser/chat-api: not as',
  ),
  mistake('a stream that is cut', stream, 'request: 0s', 'request: 15s', 'of the stream must be 0s'),
  mistake('a route without TLS', stream, ', sectionName: https', '', 'must name one listener'),
  mistake(
    'a path that is not public',
    'base/gateway/routes.yaml',
    '/api/v1/audit',
    '/health',
    'serves PathPrefix /health',
  ),
  mistake(
    'internal routes outside',
    'base/gateway/routes.yaml',
    '/api/v1/internal',
    '/api/v1/intern',
    'serves PathPrefix /api/v1/internal nothing',
  ),
  mistake(
    'port 80 that serves',
    'base/gateway/routes.yaml',
    'RequestRedirect,',
    'URLRewrite,',
    'port 80 may only lead',
  ),
  mistake(
    'an open network policy',
    'components/network-policies/kafka.yaml',
    'podSelector: { matchLabels: { strimzi.io/cluster: taskflow } }',
    'podSelector: {}',
    'kafka: is open to everybody',
  ),
  mistake(
    'every port',
    'components/network-policies/postgres.yaml',
    'ports: [{ protocol: TCP, port: 5432 }]',
    '',
    'opens every port',
  ),
  mistake(
    'half a wall',
    'components/network-policies/default-deny.yaml',
    '[Ingress, Egress]',
    '[Ingress]',
    'closes chat-api both ways',
  ),
];

/** Seen in what `kustomize build` makes of an overlay, or in that it makes nothing. */
export const whenRendered: Mistake[] = [
  mistake('latest', 'images/cloud/kustomization.yaml', 'newTag: 0.1.0', 'newTag: latest', 'got latest'),
  mistake(
    'an image that no file sets',
    chatApi,
    'image: taskflow/chat-api',
    'image: taskflow/chat',
    'not set in gitops/images',
  ),
  mistake(
    'a setting that there is not',
    'base/chat-api/settings.env',
    'EVENTS=',
    'EVENT=',
    'EVENT is no setting of this',
  ),
  mistake('a value that is refused', 'base/chat-api/settings.env', 'EVENTS=on', 'EVENTS=true', 'EVENTS:'),
  mistake(
    'a secret in a ConfigMap',
    'base/common.env',
    'LOG_LEVEL=info',
    'JWT_SECRET=0123456789abcdef0123456789abcdef',
    'belongs in a Secret',
  ),
  mistake('another port in the settings', 'base/chat-api/settings.env', 'PORT=8000', 'PORT=8080', 'PORT must be 8000'),
  mistake('a secret that is missing', chatApi, '- name: JWT_SECRET\n', '- name: JWT_SECRET_PREVIOUS\n', 'JWT_SECRET:'),
  mistake(
    'a Secret that nothing makes',
    chatApi,
    'name: jwt, key: secret',
    'name: jwt-key, key: secret',
    'nothing makes Secret jwt-key',
  ),
  mistake(
    'the loopback through a proxy',
    'base/common.env',
    'NO_PROXY=127.0.0.1,localhost',
    'NO_PROXY=localhost',
    'NO_PROXY lacks',
  ),
  mistake(
    'a selector of no pod',
    'base/chat-api/service.yaml',
    'selector: { app.kubernetes.io/name: chat-api }',
    'selector: { app: chat-api }',
    'its selector finds no pod',
  ),
  mistake(
    'a budget of no pod',
    'base/chat-api/pdb.yaml',
    'app.kubernetes.io/name: chat-api',
    'app.kubernetes.io/name: chat',
    'its selector finds no pod',
  ),
  mistake(
    'a scaler of nothing',
    'components/autoscaling/chat-api.yaml',
    'kind: Deployment, name: chat-api',
    'kind: Deployment, name: chat',
    'no Deployment/chat',
  ),
  mistake('replicas beside a scaler', chatApi, 'progressDeadlineSeconds: 180', 'replicas: 2', 'replicas of its own'),
  mistake(
    'one copy in sync of three',
    'data/overlays/cloud/kustomization.yaml',
    'config/min.insync.replicas, value: 2',
    'config/min.insync.replicas, value: 1',
    'need min.insync.replicas 2',
  ),
  mistake(
    'a volume that goes with its claim',
    'data/overlays/cloud/kafka-nodes.yaml',
    'deleteClaim: false',
    'deleteClaim: true',
    'deleteClaim must be false',
  ),
  mistake(
    'an account that there is not',
    chatApi,
    'serviceAccountName: chat-api',
    'serviceAccountName: chat',
    'no ServiceAccount chat',
  ),
  mistake(
    'a patch that finds another field',
    'base/dapr/pubsub.yaml',
    '- name: authType\n',
    '- name: auth\n',
    'kustomize: ',
  ),
  mistake(
    'a chart of any version',
    'apps/base/platform.yaml',
    'targetRevision: 1.18.2',
    `targetRevision: 1.18.*`,
    'must be an exact version',
  ),
  mistake(
    'no way back by itself',
    'apps/base/taskflow.yaml',
    'selfHeal: true',
    'selfHeal: false',
    'with prune and selfHeal',
  ),
  mistake(
    'a comparison that misses what Git no longer has',
    'apps/base/taskflow.yaml',
    ',IncludeMutationWebhook=true',
    '',
    'compare-options must be',
  ),
  mistake(
    'a repository of nobody',
    'apps/base/projects.yaml',
    '- https://dapr.github.io/helm-charts',
    '',
    'may not read https://dapr',
  ),
  mistake(
    'a name without its certificate',
    'host/cloud/kustomization.yaml',
    'dnsNames/0, value: taskflow',
    'dnsNames/0, value: www',
    'Certificate/taskflow: must be for',
  ),
  mistake(
    'an overlay without a name',
    'overlays/minikube/kustomization.yaml',
    '  - ../../host/minikube\n',
    '',
    'PUBLIC_URL must be said once',
  ),
  mistake(
    'cookies without TLS',
    'host/minikube/kustomization.yaml',
    'PUBLIC_URL=https',
    'PUBLIC_URL=http',
    'PUBLIC_URL must be said once, as https',
  ),
  mistake(
    'streams that drain for longer than the pod has',
    'base/notification-service/settings.env',
    'DRAIN_MS=15000',
    'DRAIN_MS=60000',
    'must be 75 or more, got 45',
  ),
];
