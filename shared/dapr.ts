import type { DaprClient, LoggerService } from '@dapr/dapr';
import { within } from './db.ts';
import { events, partitionKey, PUBSUB, type TaskEvent } from './events.ts';
import type { Metrics } from './metrics.ts';
import { invalidity } from './validity.ts';

/** A publish that was not accepted. `refused`: the same event will be refused again; otherwise try again later. */
export class PublishError extends Error {
  override name = 'PublishError';
  constructor(
    message: string,
    readonly refused: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

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
 * absent sidecar, has no deadlines and returns publish errors instead of throwing them.
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
  const failures = metrics?.counter(
    'taskflow_publish_failures_total',
    'Publishes that were refused for good, or that may have failed (unknown) and are tried again',
    ['type', 'result'],
  );
  // Loaded here, not at the top: the SDK costs 55 MB and 200 ms, and consumers that never publish need only the health below.
  const { DaprClient, HttpMethod } = await import('@dapr/dapr');
  const client = new DaprClient({
    daprHost: '127.0.0.1',
    daprPort: String(port),
    ...(apiToken !== '' && { daprApiToken: apiToken }),
    logger: { service: silent }, // each failure is thrown below, and logged once by whoever decides on it
  });
  skipStartProbe(client);

  function failure(
    { event_type: type }: TaskEvent,
    message: string,
    isRefused: boolean,
    cause?: unknown,
  ): PublishError {
    failures?.labels(type, isRefused ? 'refused' : 'unknown').inc();
    return new PublishError(message, isRefused, { cause });
  }

  return {
    /**
     * Publishes one event under its own id, keyed by its task. Resolves when the broker has it.
     * @throws {PublishError} after 5 s at the latest; the event may have arrived all the same, so repeat it with the same id.
     * `refused` without asking the sidecar when the event does not match the schema of its type
     */
    async publish(event: TaskEvent, traceparent: string | null): Promise<void> {
      const problem = invalidity(event);
      if (problem !== null) throw failure(event, problem, true);
      const { topic, producer } = events[event.event_type];
      const metadata = {
        partitionKey: partitionKey(event),
        'cloudevent.id': event.event_id,
        'cloudevent.type': event.event_type,
        'cloudevent.source': producer,
        ...(traceparent !== null && { 'cloudevent.traceparent': traceparent }),
      };
      const answer = await within(
        publishMs,
        client.pubsub.publish(PUBSUB, topic, event, { contentType: 'application/json', metadata }),
      ).catch((error: unknown) => ({ error }));
      if (answer.error === undefined) return;
      const { status, text } = described(answer.error);
      const isRefused = status === 400 || status === 413;
      throw failure(event, isRefused ? `refused by the sidecar: ${text}` : text, isRefused, answer.error);
    },

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
    headers: apiToken === '' ? {} : { 'dapr-api-token': apiToken },
    signal: AbortSignal.timeout(HEALTH_MS),
  });
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
