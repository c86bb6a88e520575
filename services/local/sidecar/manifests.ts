import { join } from 'node:path';

/** What the sidecars take from `gitops/base/dapr`: the same files a real Dapr reads. */
export type Manifests = {
  pubsub: PubSub;
  subscriptions: Subscription[];
  inbound: InboundPolicy;
  configuration: Configuration;
};

export type PubSub = {
  name: string;
  type: string;
  version: string;
  initialOffset: 'oldest' | 'newest';
  maxMessageBytes: number;
  protectedTopics: string[];
  publishingScopes: Scopes;
  subscriptionScopes: Scopes;
};

export type Subscription = {
  pubsub: string;
  topic: string;
  route: string;
  deadLetterTopic: string | null;
  /** Null: one event a delivery. */
  bulk: { maxMessages: number; awaitMs: number } | null;
  appIds: string[];
};

/** Without a policy Dapr tries once; `maxRetries` -1 is without end. */
export type InboundPolicy = { timeoutMs: number | null; waitMs: number; maxRetries: number };

export type Configuration = {
  /** `version/name` of the HTTP APIs that are served; null serves all. */
  allowedApis: Set<string> | null;
  accessControl: AccessControl | null;
};

export type AccessControl = {
  defaultAction: string;
  policies: { appId: string; defaultAction: string; operations: { path: string; verbs: string[]; action: string }[] }[];
};

type Scopes = Map<string, string[]>;
type Fields = Record<string, unknown>;

export class ManifestError extends Error {
  override name = 'ManifestError';
}

/** Reads the four files of `folder`; throws ManifestError that names file and field. */
export async function readManifests(folder: string): Promise<Manifests> {
  const [component, subscriptions, resiliency, configuration] = await Promise.all([
    readOne(folder, 'pubsub.yaml', 'Component'),
    readAll(folder, 'subscriptions.yaml', 'Subscription'),
    readOne(folder, 'resiliency.yaml', 'Resiliency'),
    readOne(folder, 'configuration.yaml', 'Configuration'),
  ]);
  const pubsub = readPubSub(component);
  const manifests = {
    pubsub,
    subscriptions: subscriptions.map(readSubscription),
    inbound: readInbound(resiliency, pubsub.name),
    configuration: readConfiguration(configuration),
  };
  refuseWhatCannotWork(manifests);
  return manifests;
}

/**
 * The rule of Dapr's scopes: a protected topic needs an entry, an app with entries may touch only these, anything else is
 * open (dapr/pkg/runtime/pubsub/adapter.go, IsOperationAllowed).
 */
export function isAllowed(pubsub: PubSub, scopes: Scopes, appId: string, topic: string): boolean {
  const scoped = scopes.get(appId);
  if (!scoped && !pubsub.protectedTopics.includes(topic)) return true;
  return scoped?.includes(topic) ?? false;
}

/** The topics that exist: as in a cluster none is made by publishing to it. */
export function topicsOf({ pubsub, subscriptions }: Manifests): Set<string> {
  const named = subscriptions.flatMap(({ topic, deadLetterTopic }) => [topic, deadLetterTopic ?? topic]);
  return new Set([...pubsub.protectedTopics, ...named]);
}

function readPubSub(file: Document): PubSub {
  const type = file.text('spec.type');
  if (type !== 'pubsub.kafka') throw file.wrong('spec.type', 'pubsub.kafka', type);
  const metadata = new Map(
    file
      .list('spec.metadata')
      .map((item) => [String(item['name']).toLowerCase(), String(item['value'] ?? '')] as const),
  );
  if (metadata.has('consumergroup'))
    throw file.wrong(
      'spec.metadata consumerGroup',
      'no such field (one group per app id)',
      metadata.get('consumergroup'),
    );
  const initialOffset = metadata.get('initialoffset') || 'newest';
  if (initialOffset !== 'oldest' && initialOffset !== 'newest')
    throw file.wrong('spec.metadata initialOffset', 'oldest or newest', initialOffset);
  return {
    name: file.text('metadata.name'),
    type,
    version: file.text('spec.version'),
    initialOffset,
    maxMessageBytes: Number(metadata.get('maxmessagebytes') || 1024 * 1024),
    protectedTopics: splitList(metadata.get('protectedtopics'), ','),
    publishingScopes: readScopes(metadata.get('publishingscopes')),
    subscriptionScopes: readScopes(metadata.get('subscriptionscopes')),
  };
}

function readSubscription(file: Document): Subscription {
  if (file.text('apiVersion') !== 'dapr.io/v2alpha1')
    throw file.wrong('apiVersion', 'dapr.io/v2alpha1', file.text('apiVersion'));
  if (file.get('spec.scopes')) throw file.wrong('spec.scopes', 'scopes at the top level', file.get('spec.scopes'));
  if (file.get('spec.routes.rules')) throw file.wrong('spec.routes.rules', 'only routes.default', 'rules');
  return {
    pubsub: file.text('spec.pubsubname'),
    topic: file.text('spec.topic'),
    route: file.text('spec.routes.default'),
    deadLetterTopic: (file.get('spec.deadLetterTopic') as string | undefined) ?? null,
    bulk: file.get('spec.bulkSubscribe.enabled') === true ? readBulk(file) : null,
    appIds: file.list('scopes').map(String),
  };
}

/** Where a number is 0 or missing Dapr takes its own, which with 10 s is no setting to deliver by: asked for both. */
function readBulk(file: Document): NonNullable<Subscription['bulk']> {
  return {
    maxMessages: file.count('spec.bulkSubscribe.maxMessagesCount'),
    awaitMs: file.count('spec.bulkSubscribe.maxAwaitDurationMs'),
  };
}

function readInbound(file: Document, pubsub: string): InboundPolicy {
  const target = `spec.targets.components.${pubsub}.inbound`;
  const timeout = file.get(`${target}.timeout`);
  const retry = file.get(`${target}.retry`);
  const timeoutMs = timeout ? milliseconds(file, `spec.policies.timeouts.${timeout}`) : null;
  if (!retry) return { timeoutMs, waitMs: 0, maxRetries: 0 };
  const policy = `spec.policies.retries.${retry}`;
  if (file.text(`${policy}.policy`) !== 'constant')
    throw file.wrong(`${policy}.policy`, 'constant', file.text(`${policy}.policy`));
  return {
    timeoutMs,
    waitMs: milliseconds(file, `${policy}.duration`),
    maxRetries: (file.get(`${policy}.maxRetries`) as number | undefined) ?? -1,
  };
}

function readConfiguration(file: Document): Configuration {
  const allowed = file.get('spec.api.allowed') ? file.list('spec.api.allowed') : [];
  const http = allowed.filter(({ protocol }) => protocol === 'http').map(({ version, name }) => `${version}/${name}`);
  const allowedApis = http.length ? new Set(http) : null;
  if (!file.get('spec.accessControl')) return { allowedApis, accessControl: null };
  const policies = file.get('spec.accessControl.policies') ? file.list('spec.accessControl.policies') : [];
  return {
    allowedApis,
    accessControl: {
      defaultAction: file.text('spec.accessControl.defaultAction'),
      policies: policies.map((policy) => ({
        appId: String(policy['appId']),
        defaultAction: String(policy['defaultAction'] || file.text('spec.accessControl.defaultAction')),
        operations: ((policy['operations'] as Fields[] | undefined) ?? []).map((operation) => ({
          path: String(operation['name']),
          verbs: (operation['httpVerb'] as string[] | undefined) ?? [],
          action: String(operation['action']),
        })),
      })),
    },
  };
}

/** Mistakes that a real sidecar only logs, if that, and that lose or block events. */
function refuseWhatCannotWork({ pubsub, subscriptions }: Manifests): void {
  for (const { topic, appIds, deadLetterTopic, pubsub: name } of subscriptions) {
    const where = `subscriptions.yaml: the subscription of ${appIds} to ${topic}`;
    if (name !== pubsub.name) throw new ManifestError(`${where}: pubsubname must be ${pubsub.name}, got ${name}`);
    if (!appIds.length) throw new ManifestError(`${where}: top-level scopes are missing, every app would load it`);
    for (const appId of appIds) {
      if (!isAllowed(pubsub, pubsub.subscriptionScopes, appId, topic))
        throw new ManifestError(`${where}: subscriptionScopes of pubsub.yaml do not allow ${appId} to read ${topic}`);
      if (deadLetterTopic && !isAllowed(pubsub, pubsub.publishingScopes, appId, deadLetterTopic))
        throw new ManifestError(
          `${where}: publishingScopes of pubsub.yaml do not allow ${appId} its ${deadLetterTopic}`,
        );
    }
  }
}

type Document = ReturnType<typeof documentOf>;

/** One YAML document with its name, so that each complaint says where it is. */
function documentOf(file: string, root: Fields) {
  const get = (path: string): unknown =>
    path.split('.').reduce<unknown>((value, key) => (value as Fields | undefined)?.[key], root);
  const wrong = (path: string, expected: string, got: unknown) =>
    new ManifestError(`${file}: ${path} must be ${expected}, got ${JSON.stringify(got) ?? 'nothing'}`);
  return {
    get,
    wrong,
    text(path: string): string {
      const value = get(path);
      if (typeof value !== 'string' || !value) throw wrong(path, 'a text', value);
      return value;
    },
    count(path: string): number {
      const value = get(path);
      if (!Number.isInteger(value) || Number(value) < 1) throw wrong(path, 'a whole number above 0', value);
      return Number(value);
    },
    list(path: string): Fields[] {
      const value = get(path);
      if (!Array.isArray(value)) throw wrong(path, 'a list', value);
      return value as Fields[];
    },
  };
}

async function readAll(folder: string, file: string, kind: string): Promise<Document[]> {
  const path = join(folder, file);
  const text = await Bun.file(path)
    .text()
    .catch((cause) => {
      throw new ManifestError(`${path} cannot be read`, { cause });
    });
  const parsed = Bun.YAML.parse(text);
  const documents = (Array.isArray(parsed) ? parsed : [parsed]).map((root) => documentOf(path, root as Fields));
  for (const document of documents)
    if (document.get('kind') !== kind) throw document.wrong('kind', kind, document.get('kind'));
  return documents;
}

async function readOne(folder: string, file: string, kind: string): Promise<Document> {
  const [document, second] = await readAll(folder, file, kind);
  if (!document || second) throw new ManifestError(`${join(folder, file)} must hold exactly one ${kind}`);
  return document;
}

/** `app=topic,topic;app=`: an app with an empty list may touch nothing, which is why it stays in the map. */
function readScopes(text = ''): Scopes {
  const entries = splitList(text, ';').map((entry) => entry.split('=') as [string, string?]);
  return new Map(entries.map(([appId, topics]) => [appId, splitList(topics, ',')]));
}

function splitList(text = '', separator: string): string[] {
  return text.replaceAll(/\s/g, '').split(separator).filter(Boolean);
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function milliseconds(file: Document, path: string): number {
  const text = file.text(path);
  const match = /^(\d+)(ms|s|m|h)$/.exec(text);
  if (!match) throw file.wrong(path, 'a duration such as 500ms or 2s', text);
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
