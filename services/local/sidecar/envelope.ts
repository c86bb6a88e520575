/** The CloudEvents envelope as Dapr writes it (components-contrib, pubsub/envelope.go). */

export type Envelope = Record<string, unknown> & { id?: unknown; traceparent?: unknown; tracestate?: unknown };

export type Payload = {
  /** Text; of a bulk entry that is JSON what it says. */
  body: unknown;
  contentType: string;
  topic: string;
  pubsub: string;
  appId: string;
  /** Query parameters `metadata.*`, or the metadata of a bulk entry. */
  metadata: Record<string, string>;
  traceparent: string;
  tracestate: string;
  now: Date;
};

/**
 * `application/cloudevents+json` keeps what the publisher set and adds topic, pubsubname and, without a `traceid`, the
 * request's trace; anything else becomes the `data` of a new envelope. Throws when an event of the first kind is no JSON
 * object; text that claims to be JSON and is not is taken as text, as Dapr does.
 */
export function wrap(payload: Payload): Envelope {
  return isCloudEvent(payload.contentType) ? completed(payload) : created(payload);
}

export const isCloudEvent = (contentType: string): boolean => mediaType(contentType) === 'application/cloudevents+json';

/** The same trace with a new parent, as a sidecar's own span; a new trace when the caller sent none. W3C Trace Context. */
export function childTraceparent(parent: string | null | undefined): string {
  const trace = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(parent ?? '');
  return `00-${trace?.[1] ?? randomHex(16)}-${randomHex(8)}-${trace?.[2] ?? '01'}`;
}

function completed({ body, topic, pubsub, traceparent, tracestate, now }: Payload): Envelope {
  const event = typeof body === 'string' ? parsedOrText(body) : body;
  if (typeof event !== 'object' || event === null || Array.isArray(event)) throw new SyntaxError('not a JSON object');
  const given = event as Envelope;
  return {
    source: 'Dapr',
    type: 'com.dapr.event.sent',
    specversion: '1.0',
    time: wholeSeconds(now),
    tracestate,
    ...given,
    // Dapr looks at `traceid` alone: a traceparent of the publisher without it is replaced.
    ...(!('traceid' in given) && { traceid: traceparent, traceparent }),
    topic,
    pubsubname: pubsub,
  };
}

function created({
  body,
  contentType,
  topic,
  pubsub,
  appId,
  metadata,
  traceparent,
  tracestate,
  now,
}: Payload): Envelope {
  const trace = metadata['cloudevent.traceparent'] ?? metadata['cloudevent.traceid'] ?? traceparent;
  const subject = metadata['cloudevent.subject'];
  return {
    id: metadata['cloudevent.id'] ?? crypto.randomUUID(),
    specversion: '1.0',
    datacontenttype: contentType || 'text/plain',
    source: metadata['cloudevent.source'] ?? appId,
    type: metadata['cloudevent.type'] ?? 'com.dapr.event.sent',
    topic,
    pubsubname: pubsub,
    traceid: trace,
    traceparent: trace,
    tracestate: metadata['cloudevent.tracestate'] ?? tracestate,
    time: wholeSeconds(now),
    data: typeof body === 'string' && isJson(contentType) ? parsedOrText(body) : body,
    ...(subject && { subject }),
  };
}

export function isJson(contentType: string): boolean {
  const type = mediaType(contentType);
  return type === 'application/json' || type.endsWith('+json');
}

function parsedOrText(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body; // Dapr validates nothing and answers 204.
  }
}

const mediaType = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase();

const wholeSeconds = (now: Date): string => now.toISOString().replace(/\.\d+Z$/, 'Z');

const randomHex = (bytes: number): string => crypto.getRandomValues(new Uint8Array(bytes)).toHex();
