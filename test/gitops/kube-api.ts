import type { Identified } from '../contract/gitops/objects.ts';

/** Any object, with whatever fields it has. */
export type KubeObject = Identified & { [field: string]: unknown };

export type KubeApi = ReturnType<typeof createKubeApi>;

/** What the API server says of an object: what would be stored, or why it is refused. Warnings come with either. */
export type Answer = { object?: KubeObject; refusal?: string; warnings: string[] };

type Resource = { name: string; kind: string; namespaced: boolean };

/** Long, since a machine that builds something else beside may hold it up; nothing hangs for good. */
const ANSWER_MS = 60_000;
/** Of objects that name none, as those of a component alone: Argo CD puts them into that of its Application. */
export const NAMESPACE = 'taskflow';
/** Whoever applies an object owns its fields, by this name. */
const FIELD_MANAGER = 'check-gitops';

/** The few requests that the checks make of an API server, in its own protocol: a `kubectl` would cost 100 ms for each. */
export function createKubeApi({ url, token, ca }: { url: string; token: string; ca: string }) {
  const resources = new Map<string, Resource>();

  async function send(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Response> {
    try {
      return await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        tls: { ca },
        signal: AbortSignal.timeout(ANSWER_MS),
      });
    } catch (cause) {
      throw new Error(`${method} ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }

  /** @throws with the server's own words when it does not answer with success */
  async function request<T>(method: string, path: string, body?: unknown, type?: string): Promise<T> {
    const response = await send(method, path, body, type);
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${messageOf(answer)}`);
    return (answer.startsWith('{') ? JSON.parse(answer) : answer) as T;
  }

  /** Where objects of a kind are. Undefined when the server knows none of it. */
  async function resourceOf(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const key = `${apiVersion} ${kind}`;
    const known = resources.get(key);
    if (known) return known;
    const response = await send('GET', rootOf(apiVersion));
    if (response.status === 404) return undefined;
    const { resources: all } = (await response.json()) as { resources: Resource[] };
    for (const resource of all.filter(({ name }) => !name.includes('/'))) {
      resources.set(`${apiVersion} ${resource.kind}`, resource);
    }
    return resources.get(key);
  }

  /** Server-side apply, as Argo CD does it and `kubectl apply --server-side --validate=strict` (and `--dry-run=server`). */
  async function apply(object: KubeObject, { dryRun = false } = {}): Promise<Answer> {
    const { apiVersion, kind, metadata } = object;
    const resource = await resourceOf(apiVersion, kind);
    if (!resource) return { refusal: `the server knows no ${kind} of ${apiVersion}`, warnings: [] };
    const scope = resource.namespaced ? `/namespaces/${metadata.namespace ?? NAMESPACE}` : '';
    const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', force: 'true' });
    if (dryRun) query.set('dryRun', 'All');
    const path = `${rootOf(apiVersion)}${scope}/${resource.name}/${encodeURIComponent(metadata.name)}?${query}`;
    return answerOf(await send('PATCH', path, object, 'application/apply-patch+yaml'));
  }

  async function remove({ apiVersion, kind, metadata }: KubeObject): Promise<void> {
    const resource = await resourceOf(apiVersion, kind);
    const scope = resource?.namespaced ? `/namespaces/${metadata.namespace ?? NAMESPACE}` : '';
    await request('DELETE', `${rootOf(apiVersion)}${scope}/${resource?.name}/${metadata.name}`);
  }

  /** For what comes into being by a controller, as pods do. Nothing is stored. */
  async function tryToCreate(object: KubeObject): Promise<Answer> {
    const resource = await resourceOf(object.apiVersion, object.kind);
    const path = `${rootOf(object.apiVersion)}/namespaces/${object.metadata.namespace ?? NAMESPACE}/${resource?.name}`;
    return answerOf(await send('POST', `${path}?dryRun=All&fieldValidation=Strict`, object));
  }

  /** Of a path or list that is not there, or not yet (429): undefined. */
  async function find<T>(path: string): Promise<T | undefined> {
    const response = await send('GET', path);
    const text = await response.text();
    if (response.status === 404 || response.status === 429) return undefined;
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${messageOf(text)}`);
    return JSON.parse(text) as T;
  }

  /** What a controller says of an object. An object that is gone by now needs none. */
  async function setStatus(path: string, status: object): Promise<void> {
    const response = await send('PATCH', `${path}/status`, { status }, 'application/merge-patch+json');
    const text = await response.text();
    if (!response.ok && response.status !== 404)
      throw new Error(`PATCH ${path}/status: ${response.status} ${messageOf(text)}`);
  }

  return {
    url,
    request,
    find,
    setStatus,
    apply,
    remove,
    tryToCreate,
    ready: () => request('GET', '/readyz'),
    /** Whether objects of this kind can be made by now. */
    knows: async (apiVersion: string, kind: string) => (await resourceOf(apiVersion, kind)) !== undefined,
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const warnings = warningsOf(response.headers.get('warning') ?? '');
  if (!response.ok) return { refusal: messageOf(text), warnings };
  return { object: JSON.parse(text) as KubeObject, warnings };
}

/** `299 - "a", 299 - "b"` (RFC 7234, 5.5). */
const warningsOf = (header: string) =>
  [...header.matchAll(/299 - ("(?:[^"\\]|\\.)*")/g)].map(([, quoted = '""']) => JSON.parse(quoted) as string);

const rootOf = (apiVersion: string) => (apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`);

function messageOf(answer: string): string {
  if (!answer.startsWith('{')) return answer;
  return (JSON.parse(answer) as { message?: string }).message ?? answer;
}
