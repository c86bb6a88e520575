import { join } from 'node:path';
import { called, type KubeObject, type Labels, ofKind, type Policy } from './objects.ts';

type Selector = { matchLabels?: Labels; matchExpressions?: { key: string; operator: string; values?: string[] }[] };
type Peer = { podSelector?: Selector; namespaceSelector?: Selector; ipBlock?: { cidr: string } };
type Rule = { ports?: { port: number | string; protocol?: string }[]; to?: Peer[]; from?: Peer[] };
type NetworkPolicy = { podSelector: Selector; policyTypes?: string[]; ingress?: Rule[]; egress?: Rule[] };

const services = [
  'chat-api',
  'notification-service',
  'reminder-service',
  'audit-logger',
  'recurring-task-processor',
  'web',
];
const all = [...services, 'migration'];
const NAME = 'app.kubernetes.io/name';

/** What lies outside our pods, by how a policy finds it. */
const outside: Record<string, string> = {
  'cnpg.io/cluster=taskflow-postgres': 'postgres',
  'strimzi.io/cluster=taskflow': 'kafka',
  'kubernetes.io/metadata.name=dapr-system': 'dapr',
  'kubernetes.io/metadata.name=envoy-gateway-system': 'gateway',
  'kubernetes.io/metadata.name=monitoring': 'prometheus',
  'kubernetes.io/metadata.name=kube-system': 'dns',
  'kubernetes.io/metadata.name=cnpg-system': 'cnpg',
};

/**
 * Every connection that policies of our pods allow, as `from -> to: ports`. One that only one side allows, where both sides
 * are ours, is none: it is left out.
 */
export function arrows(objects: KubeObject[]): string[] {
  const policies = ofKind<NetworkPolicy>(objects, 'NetworkPolicy');
  const out = policies.flatMap((policy) =>
    (policy.spec.egress ?? []).flatMap((rule) =>
      pairs(podsOf(policy.spec.podSelector), peersOf(rule.to), rule, (own, other) => `${own} -> ${other}`),
    ),
  );
  const into = policies.flatMap((policy) =>
    (policy.spec.ingress ?? []).flatMap((rule) =>
      pairs(podsOf(policy.spec.podSelector), peersOf(rule.from), rule, (own, other) => `${other} -> ${own}`),
    ),
  );
  const isBetweenOurs = (arrow: string) => arrow.split(/ -> |: /, 2).every((end) => all.includes(end));
  const both = [...out, ...into].filter(
    (arrow) => !isBetweenOurs(arrow) || (out.includes(arrow) && into.includes(arrow)),
  );
  return [...new Set(both)].filter((arrow) => !arrow.includes('-> dns')).toSorted();
}

/** The arrows of a Mermaid picture: `a & b -- "9092" --> kafka`. */
export function drawn(picture: string): string[] {
  const lines = picture.matchAll(/^\s*([\w& -]+?)\s+-- "([^"]+)" -->\s+([\w& -]+?)\s*$/gm);
  return [...lines]
    .flatMap(([, from = '', ports = '', to = '']) =>
      from.split(' & ').flatMap((one) => to.split(' & ').map((other) => `${one} -> ${other}: ${ports}`)),
    )
    .toSorted();
}

/** Connections that the picture of gitops/README.md lacks, and arrows of it that no policy allows. */
export async function unlikePicture(objects: KubeObject[]): Promise<string[]> {
  const allowed = arrows(objects).filter((arrow) => !/^(\S+) -> \1:/.test(arrow));
  const picture = drawn(await Bun.file(join(import.meta.dir, '../../../gitops/README.md')).text());
  return [
    ...allowed.filter((arrow) => !picture.includes(arrow)).map((arrow) => `${arrow} is not in the picture`),
    ...picture.filter((arrow) => !allowed.includes(arrow)).map((arrow) => `${arrow} is drawn, and not allowed`),
  ];
}

/** Everything is closed unless a policy opens it, and what opens something says to whom and where. */
export const network: Policy = (objects) => {
  const policies = ofKind<NetworkPolicy>(objects, 'NetworkPolicy');
  const closed = policies.filter(({ spec }) => !spec.ingress && !spec.egress && spec.policyTypes?.length === 2);
  const shut = closed.flatMap(({ spec }) => podsOf(spec.podSelector));
  return [
    ...all.filter((name) => !shut.includes(name)).map((name) => `no NetworkPolicy closes ${name} both ways`),
    ...policies.flatMap((policy) =>
      [...(policy.spec.ingress ?? []), ...(policy.spec.egress ?? [])].flatMap((rule) => {
        const peers = rule.to ?? rule.from ?? [];
        const isWide = ({ podSelector, namespaceSelector, ipBlock }: Peer) =>
          ipBlock ? ipBlock.cidr.endsWith('/0') : !isNarrow(podSelector) && !isNarrow(namespaceSelector);
        return [
          ...(peers.length === 0 || peers.some(isWide) ? [`${called(policy)}: is open to everybody`] : []),
          ...(rule.ports || peers.some(isOfItself(policy)) ? [] : [`${called(policy)}: opens every port`]),
        ];
      }),
    ),
  ];
};

const isNarrow = (selector: Selector | undefined) =>
  Object.keys(selector?.matchLabels ?? {}).length > 0 || (selector?.matchExpressions?.length ?? 0) > 0;

const isOfItself =
  ({ spec }: KubeObject<NetworkPolicy>) =>
  ({ podSelector }: Peer) =>
    JSON.stringify(podSelector) === JSON.stringify(spec.podSelector);

function pairs(own: string[], others: string[], { ports }: Rule, arrow: (own: string, other: string) => string) {
  const numbers = (ports ?? []).map(({ port }) => port).join(', ');
  return own.flatMap((one) => others.map((other) => `${arrow(one, other)}: ${numbers}`));
}

const peersOf = (peers: Peer[] | undefined): string[] =>
  (peers ?? []).flatMap(({ podSelector, namespaceSelector, ipBlock }) =>
    ipBlock ? ['postgres'] : namespaceSelector ? named(namespaceSelector) : podsOf(podSelector ?? {}),
  );

function podsOf(selector: Selector): string[] {
  const byName = selector.matchExpressions?.find(({ key }) => key === NAME)?.values ?? selector.matchLabels?.[NAME];
  if (byName !== undefined) return [byName].flat();
  if (selector.matchLabels?.['app.kubernetes.io/part-of'] === 'taskflow') return all;
  return named(selector);
}

const named = ({ matchLabels = {} }: Selector): string[] =>
  Object.entries(matchLabels).map(([key, value]) => outside[`${key}=${value}`] ?? `${key}=${value}`);
