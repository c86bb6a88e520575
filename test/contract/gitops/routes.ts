import { publicPaths } from '#shared/public-paths';
import { called, type KubeObject, ofKind, type Policy } from './objects.ts';

type Route = {
  parentRefs: { name: string; sectionName?: string }[];
  rules: {
    matches?: { method?: string; path: { type: string; value: string } }[];
    backendRefs?: { name: string }[];
    filters?: { type: string }[];
    timeouts?: { request?: string };
  }[];
};

type Traffic = { targetRefs: { name: string }[]; compressor?: unknown[] };

const STREAM = '/api/v1/notifications/stream';
/** What may be compressed: answers without an ETag, which Envoy would take away, and none is a stream or has tokens. */
const LISTS = [
  'Exact /api/v1/tasks chat-api',
  'Exact /api/v1/notifications notification-service',
  'Exact /api/v1/audit/events audit-logger',
  'PathPrefix /api/v1/audit/tasks audit-logger',
];

/** What `web` tells the cluster alone. */
const OWN_OF_WEB = ['/health/live', '/health/ready', '/metrics'];

/** Outside is what `up` has outside (shared/public-paths.ts), and port 80 leads to 443 alone. */
export const routes: Policy = (objects) => {
  const found = ofKind<Route>(objects, 'HTTPRoute');
  if (found.length === 0) return [];
  const served = found.filter(isOf('https')).flatMap(({ spec }) => spec.rules.flatMap(pathsOf));
  const expected = [
    ...publicPaths.map(([prefix, appId]) => `PathPrefix ${prefix} ${appId ?? 'nothing'}`),
    `Exact ${STREAM} notification-service`,
    'PathPrefix / web', // what no longer path takes
    ...OWN_OF_WEB.map((path) => `Exact ${path} nothing`),
    ...LISTS,
  ];
  return [
    ...expected.filter((path) => !served.includes(path)).map((path) => `no HTTPRoute serves ${path}`),
    ...served.filter((path) => !expected.includes(path)).map((path) => `an HTTPRoute serves ${path}: not public`),
    ...compressedWrongly(objects, found),
    ...found.flatMap((route) => [...unredirected(route), ...unattached(route), ...cutStream(route)]),
  ];
};

const isOf =
  (listener: string) =>
  ({ spec }: KubeObject<Route>) =>
    spec.parentRefs.some(({ sectionName }) => sectionName === listener);

const pathsOf = ({ matches, backendRefs }: Route['rules'][number]): string[] =>
  (matches ?? [{ path: { type: 'PathPrefix', value: '/' } }]).map(
    ({ path }) => `${path.type} ${path.value} ${backendRefs?.map(({ name }) => name).join() ?? 'nothing'}`,
  );

function unredirected(route: KubeObject<Route>): string[] {
  const isPlain = (rule: Route['rules'][number]) => !rule.filters?.some(({ type }) => type === 'RequestRedirect');
  return isOf('http')(route) && route.spec.rules.some(isPlain)
    ? [`${called(route)}: port 80 may only lead to https`]
    : [];
}

/** Without a listener's name a route is of both, so served without TLS too. */
const unattached = (route: KubeObject<Route>): string[] =>
  isOf('https')(route) || isOf('http')(route) ? [] : [`${called(route)}: must name one listener`];

/** Envoy ends what has no timeout of its own after 15 s. */
const cutStream = (route: KubeObject<Route>): string[] =>
  route.spec.rules
    .filter((rule) => rule.matches?.some(({ path }) => path.value === STREAM) && rule.timeouts?.request !== '0s')
    .map(() => `${called(route)}: timeouts.request of the stream must be 0s`);

/** By the routes that a policy with compressors targets. */
function compressedWrongly(objects: KubeObject[], found: KubeObject<Route>[]): string[] {
  const compressing = ofKind<Traffic>(objects, 'BackendTrafficPolicy').filter(({ spec }) => spec.compressor);
  const targets = compressing.flatMap(({ spec }) => spec.targetRefs.map(({ name }) => name));
  const rules = found.filter(({ metadata }) => targets.includes(metadata.name)).flatMap(({ spec }) => spec.rules);
  return rules
    .filter(
      (rule) =>
        pathsOf(rule).some((path) => !LISTS.includes(path)) || rule.matches?.some(({ method }) => method !== 'GET'),
    )
    .map((rule) => `${pathsOf(rule).join()}: only lists may be compressed, and only when they are read`);
}
