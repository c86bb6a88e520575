/**
 * Stands before the gateway: `answer` may answer a request itself, as a server in trouble would; null passes it on, at once
 * or later. Its address is the one a page is opened at.
 */
export function startFront(target: string, answer: (request: Request) => Answered | Promise<Answered>) {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0, // streams are silent for long
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const { method, headers, body, signal } = request;
      return (
        (await answer(request)) ??
        fetch(`${target}${pathname}${search}`, {
          method,
          headers,
          body,
          signal,
          redirect: 'manual',
          decompress: false,
        })
      );
    },
  });
  return { url: `http://localhost:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

type Answered = Response | null;
