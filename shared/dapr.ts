import type { DaprClient, LoggerService } from '@dapr/dapr';
import { within } from './db.ts';
import { PUBSUB } from './events.ts';
import type { Metrics } from './metrics.ts';
import { createPublish, type Entry, type Refusal } from './publish.ts';

/** A call to another service that did not answer 2xx. `status` is 0 when there was no answer at all. */
export class InvokeError extends Error {
  override name = 'InvokeError';
  constructor(
    message: string,
    readonly status: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type Sidecar = Awaited<ReturnType<typeof createSidecar>>;

/** A frozen broker holds a publish for over a minute (measured, daprd 1.18): after this it counts as "unknown, repeat". */
const PUBLISH_MS = 5000;
const INVOKE_MS = 15_000;
const HEALTH_MS = 400;

/**
 * The sidecar as this service uses it. The only door to `@dapr/dapr` (3.18.0), which without guard waits 30 s for an
 * absent sidecar, has no deadlines, returns publish errors instead of throwing them and hides those of a bulk.
 */
export async function createSidecar({
  port,
  apiToken,
  publishMs = PUBLISH_MS,
  metrics,
}: {
  port: number;
  apiToken: string;
  publishMs?: number;
  metrics?: Metrics;
}) {
  // Loaded here, not at the top: the SDK costs 55 MB and 200 ms, and consumers that never publish need only the health below.
  const { DaprClient, HttpMethod } = await import('@dapr/dapr');
  const client = new DaprClient({
    daprHost: '127.0.0.1',
    daprPort: String(port),
    ...(apiToken !== '' && { daprApiToken: apiToken }),
    logger: { service: silent }, // each failure is thrown below, and logged once by whoever decides on it
  });
  skipStartProbe(client);

  /**
   * One event goes by the SDK, several by HTTP: when a part of a bulk has failed, the SDK says that all was published (it
   * looks for `entryID` in an answer that has `entryId`).
   */
  async function callPublish(topic: string, entries: Entry[]): Promise<Refusal | null> {
    try {
      return await within(publishMs, entries.length === 1 ? publishOne(topic, entries) : publishBulk(topic, entries));
    } catch (error) {
      return { ...described(error), cause: error };
    }
  }

  async function publishOne(topic: string, [entry]: Entry[]): Promise<null> {
    const options = { contentType: 'application/json', ...(entry && { metadata: entry.metadata }) };
    const { error } = await client.pubsub.publish(PUBSUB, topic, entry?.event, options);
    if (error !== undefined) throw error;
    return null;
  }

  async function publishBulk(topic: string, entries: Entry[]): Promise<Refusal | null> {
    const response = await fetch(`http://127.0.0.1:${port}/v1.0/publish/bulk/${PUBSUB}/${topic}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...tokenHeader(apiToken) },
      body: `[${entries.map(({ json }) => json).join(',')}]`,
      signal: AbortSignal.timeout(publishMs),
    });
    const text = await response.text();
    return response.ok
      ? null
      : { status: response.status, text: `${response.status} ${text}`, ...failedOf(text, entries) };
  }

  return {
    publish: createPublish(callPublish, metrics),

    /**
     * POSTs JSON to a route of another service through both sidecars and returns its JSON answer.
     * @throws {InvokeError} with the status it answered
     */
    async invoke(appId: string, path: string, body: object, headers: Record<string, string>): Promise<unknown> {
      try {
        return await within(INVOKE_MS, client.invoker.invoke(appId, path, HttpMethod.POST, body, { headers }));
      } catch (error) {
        const { status, text } = described(error);
        throw new InvokeError(text, status, { cause: error });
      }
    },

    stop: () => client.stop(),
  };
}

/** Rejects unless the sidecar is reachable and its outbound side is up. Cheap enough for each probe. */
export async function checkSidecar({ port, apiToken }: { port: number; apiToken: string }): Promise<void> {
  const response = await ask(port, apiToken, '/v1.0/healthz/outbound');
  await response.body?.cancel();
  if (response.status !== 204) throw new Error(`the sidecar answered ${response.status}`);
}

/**
 * Rejects unless the pub/sub component is loaded. The sidecar's own health says nothing about its broker: with
 * `ignoreErrors` a component that could not start is only missing from the metadata.
 */
export async function checkBroker({ port, apiToken }: { port: number; apiToken: string }): Promise<void> {
  const response = await ask(port, apiToken, '/v1.0/metadata');
  const { components = [] } = (await response.json()) as { components?: { name: string }[] };
  if (!components.some(({ name }) => name === PUBSUB)) throw new Error(`the sidecar has no component ${PUBSUB}`);
}

function ask(port: number, apiToken: string, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    headers: tokenHeader(apiToken),
    signal: AbortSignal.timeout(HEALTH_MS),
  });
}

const tokenHeader = (apiToken: string): Record<string, string> =>
  apiToken === '' ? {} : { 'dapr-api-token': apiToken };

/** The entries that an answer names as failed. An answer that names none, or another, says nothing of any. */
function failedOf(text: string, entries: Entry[]): Pick<Refusal, 'failed'> {
  try {
    const { failedEntries } = JSON.parse(text) as { failedEntries: { entryId: string; error: string }[] };
    const failed = new Map(failedEntries.map(({ entryId, error }) => [entryId, error]));
    const known = new Set(entries.map(({ id }) => id));
    return failed.size > 0 && known.isSupersetOf(failed) ? { failed } : {};
  } catch {
    return {}; // no JSON, or without them
  }
}

/**
 * Without this the first call polls an absent sidecar for 30 s, and so does each later one (SDK 3.18.0). The field is
 * internal: delete this when the SDK lets a caller skip its start probe.
 */
function skipStartProbe(client: DaprClient): void {
  const inner: unknown = client.daprClient;
  (inner as { setIsInitialized(isInitialized: boolean): void }).setIsInitialized(true);
}

/** The SDK's errors carry their facts as JSON text in the message: `{error, error_msg, status}`. */
function described(error: unknown): { status: number; text: string } {
  const message = error instanceof Error ? error.message : String(error);
  try {
    const facts = JSON.parse(message) as { error_msg?: string; status?: number };
    return { status: facts.status ?? 0, text: `${facts.status ?? ''} ${facts.error_msg ?? ''}`.trim() };
  } catch {
    return { status: 0, text: message }; // not JSON: connection refused, our own deadline
  }
}

const nothing = () => {};
const silent: LoggerService = { error: nothing, warn: nothing, info: nothing, verbose: nothing, debug: nothing };
