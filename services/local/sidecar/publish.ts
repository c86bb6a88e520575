import { readBody } from './body.ts';
import { DaprError } from './dapr-error.ts';
import { childTraceparent, isJson, wrap } from './envelope.ts';
import type { EventLog, NewRecord } from './log.ts';
import { isAllowed, type PubSub } from './manifests.ts';

export type Publishing = { pubsub: PubSub; topics: Set<string>; log: EventLog };
type Target = { appId: string; pubsub: string; topic: string };
type Metadata = Record<string, string>;
type Entry = { entryId: string; event: unknown; contentType: string; metadata?: Metadata };

/** `POST /v1.0/publish/{pubsub}/{topic}`: 204 when the event is on disk. */
export async function publish(request: Request, target: Target, publishing: Publishing): Promise<Response> {
  refuseTarget(target, publishing);
  const metadata = metadataOf(request);
  const contentType = request.headers.get('content-type') ?? '';
  const body = await readText(request, (reason) => failed(target, reason));
  const envelope = envelopeOf(body, contentType, metadata, traceOf(request), target);
  try {
    await append({ ...recordOf(target, metadata), envelope }, publishing);
  } catch (error) {
    throw failed(target, error);
  }
  return noContent();
}

/**
 * `POST /v1.0/publish/bulk/{pubsub}/{topic}`: 204 when all are on disk; else 500 whose `failedEntries` names those that
 * are not, the others are published.
 */
export async function publishBulk(request: Request, target: Target, publishing: Publishing): Promise<Response> {
  refuseTarget(target, publishing);
  const shared = metadataOf(request);
  const entries = await readEntries(request, target);
  const trace = traceOf(request);
  const records = entries.map(({ event, contentType, metadata = {} }) => {
    const own = { ...shared, ...metadata };
    const body = typeof event === 'string' || isJson(contentType) ? event : JSON.stringify(event);
    return { ...recordOf(target, own), envelope: envelopeOf(body, contentType, own, trace, target) };
  });
  const results = await Promise.allSettled(records.map((record) => append(record, publishing)));
  const failedEntries = results.flatMap((result, i) =>
    result.status === 'fulfilled' ? [] : [{ entryId: entries[i]?.entryId, error: messageOf(result.reason) }],
  );
  if (!failedEntries.length) return noContent();
  return Response.json({ failedEntries, errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' }, { status: 500 });
}

export const failed = ({ topic, pubsub }: Target, error: unknown) =>
  new DaprError(
    500,
    'ERR_PUBSUB_PUBLISH_MESSAGE',
    `error when publishing to topic ${topic} in pubsub ${pubsub}: ${messageOf(error)}`,
  );

export const notFound = (pubsub: string) => new DaprError(404, 'ERR_PUBSUB_NOT_FOUND', `pubsub ${pubsub} is not found`);

/** In Dapr's order: the component, the scopes, and only at the broker the topic. */
function refuseTarget({ appId, pubsub: name, topic }: Target, { pubsub }: Publishing): void {
  if (name !== pubsub.name) throw notFound(name);
  if (!isAllowed(pubsub, pubsub.publishingScopes, appId, topic))
    throw new DaprError(403, 'ERR_PUBSUB_FORBIDDEN', `topic ${topic} is not allowed for app id ${appId}`);
}

async function append(record: NewRecord, { pubsub, topics, log }: Publishing): Promise<void> {
  if (!topics.has(record.topic))
    throw new Error('kafka server: Request was for a topic or partition that does not exist on this broker');
  const bytes = Buffer.byteLength(record.envelope);
  if (bytes > pubsub.maxMessageBytes)
    throw new Error(
      `kafka: invalid configuration (Attempt to produce message larger than configured Producer.MaxMessageBytes: ${bytes} > ${pubsub.maxMessageBytes})`,
    );
  // Postgres' text holds no NUL, and the write it would break is shared with other publishers.
  if (record.key?.includes('\0')) throw new Error('the partition key holds a NUL');
  await log.append(record);
}

/** Of what is published by one call and names no trace of its own. */
const traceOf = ({ headers }: Request) => ({
  traceparent: childTraceparent(headers.get('traceparent')),
  tracestate: headers.get('tracestate') ?? '',
});
type Trace = ReturnType<typeof traceOf>;

function envelopeOf(body: unknown, contentType: string, metadata: Metadata, trace: Trace, target: Target): string {
  try {
    const envelope = wrap({
      body,
      contentType,
      ...target,
      metadata,
      ...trace,
      now: new Date(),
    });
    return JSON.stringify(envelope);
  } catch {
    throw new DaprError(500, 'ERR_PUBSUB_CLOUD_EVENTS_SER', 'cannot create cloudevent');
  }
}

async function readEntries(request: Request, { topic, pubsub }: Target): Promise<Entry[]> {
  const refused = (message: string) => new DaprError(400, 'ERR_PUBSUB_EVENTS_SER', message);
  const notRead = (reason: string) =>
    refused(`error when unmarshaling the request for topic ${topic} pubsub ${pubsub}: ${reason}`);
  const entries = parsed(await readText(request, notRead));
  if (!Array.isArray(entries)) throw notRead('not a JSON array');
  const ids = entries.map((entry: Partial<Entry> | null) => entry?.entryId);
  if (ids.some((id) => typeof id !== 'string' || !id) || new Set(ids).size < ids.length)
    throw refused(
      `error marshaling events to bytes for topic ${topic} pubsub ${pubsub}. error: entryId is duplicated or not present for entry`,
    );
  return entries.map((entry: Entry) => ({ ...entry, contentType: entry.contentType ?? '' }));
}

async function readText(request: Request, refused: (reason: string) => DaprError): Promise<string> {
  return new TextDecoder().decode(await readBody(request, refused));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Kafka takes the key from the metadata, and all of it goes along as headers of the record. */
const recordOf = ({ topic }: Target, metadata: Metadata) => ({
  topic,
  key: metadata['partitionKey'] ?? metadata['__key'] ?? null,
  headers: metadata,
});

function metadataOf(request: Request): Metadata {
  const prefix = 'metadata.';
  const given = [...new URL(request.url).searchParams].filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(given.map(([name, value]) => [name.slice(prefix.length), value]));
}

const noContent = () => new Response(null, { status: 204 });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
