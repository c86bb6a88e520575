import type { Log } from '#shared/log';
import type { AuditEvent } from './model.ts';

export const NDJSON = 'application/x-ndjson';

/**
 * Whether the caller asks for an export: one JSON value a line, all that is found, no pages. Capitals do not count
 * (RFC 9110, 8.3.1).
 */
export const wantsExport = (request: Request): boolean =>
  (request.headers.get('accept') ?? '').toLowerCase().includes(NDJSON);

/**
 * The pages as an NDJSON answer. A page is read when the caller has taken the one before, so memory stays flat. The
 * first is read before the answer begins: a database that is away is a 503. One that goes away later breaks the
 * connection off, so that a part is never taken for the whole.
 */
export async function exported(pages: AsyncGenerator<AuditEvent[], undefined>, log: Log): Promise<Response> {
  const first = await pages.next();
  let ahead: IteratorResult<AuditEvent[], undefined> | null = first;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = ahead ?? (await pages.next());
          ahead = null;
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value.map((event) => `${JSON.stringify(event)}\n`).join('')));
        } catch (error) {
          log.error('export broken off', { error });
          controller.error(error);
        }
      },
      async cancel() {
        await pages.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': NDJSON, 'cache-control': 'no-store' } });
}
