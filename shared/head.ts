import { Elysia } from 'elysia';

/**
 * HEAD is GET whose body the server leaves out (RFC 9110, 9.3.2), and Bun does leave it out: so the routes see GET. By
 * itself Elysia 1.4.30 answers some HEADs by reading the whole body of GET to count it, and a stream has no end.
 */
export const heads = () =>
  new Elysia({ name: 'heads' }).wrap((handle, request) => {
    if (request.method === 'HEAD') {
      cameAsHead.add(request);
      Object.defineProperty(request, 'method', { value: 'GET' }); // as in host.ts, a copy would lose its socket
    }
    return handle;
  });

const cameAsHead = new WeakSet<Request>();

/** Whether nobody will read the body. For routes where GET opens something. */
export const isHead = (request: Request): boolean => cameAsHead.has(request);

/** The answer to HEAD where GET would open a stream: the same headers, of a length that is not known. */
export const headOfStream = (headers: Record<string, string> | Headers): Response =>
  new Response(new ReadableStream({ pull: (controller) => controller.close() }, { highWaterMark: 0 }), { headers });
