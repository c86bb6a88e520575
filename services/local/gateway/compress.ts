/** Below it gzip saves less than a packet. */
const MIN_BYTES = 1024;
const TEXT = /^(application\/(json|x-ndjson)|text\/(?!event-stream))/;
/** What holds tokens beside what a stranger chose can be guessed letter by letter from its length (BREACH). */
const SECRET = /^\/api\/v1\/auth(\/|$)/;

/**
 * The answer in gzip where its client takes that and it is text of 1 KB or more, as the gateway of a cluster does it.
 * Never a stream of events, nor what has an ETag: that names its bytes, and comes back in If-Match (RFC 9110, 8.8.3).
 */
export function compressed(request: Request, response: Response): Response {
  const { status, body, headers } = response;
  const isHead = request.method === 'HEAD';
  if ((!body && !isHead) || !isText(headers) || SECRET.test(new URL(request.url).pathname)) return response;
  headers.append('vary', 'accept-encoding');
  const isSmall = Number(headers.get('content-length') ?? Infinity) < MIN_BYTES;
  if (isSmall || !takesGzip(request.headers.get('accept-encoding') ?? '')) return response;
  headers.delete('content-length');
  headers.set('content-encoding', 'gzip');
  return new Response(body?.pipeThrough(new CompressionStream('gzip')), { status, headers });
}

const isText = (headers: Headers): boolean =>
  TEXT.test(headers.get('content-type') ?? '') && !headers.has('content-encoding') && !headers.has('etag');

/** RFC 9110, 12.5.3: listed, or by `*`, and not with a weight of 0. */
function takesGzip(accepts: string): boolean {
  const weights = new Map(
    accepts.split(',').map((coding) => {
      const [name = '', weight = ''] = coding.toLowerCase().split(';');
      return [name.trim(), Number(/^\s*q=([\d.]+)\s*$/.exec(weight)?.[1] ?? 1)] as const;
    }),
  );
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}
