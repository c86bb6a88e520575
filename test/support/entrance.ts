/** One address for all services, as the entrance of a cluster is; `pass` hands a request on. */
export function startEntrance(pass: (url: URL, init: RequestInit) => Promise<Response>): Bun.Server<undefined> {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0, // streams are silent for long
    async fetch(request) {
      const { method, headers, signal } = request;
      const body = request.body && (await request.bytes());
      return pass(new URL(request.url), { method, headers, signal, body });
    },
  });
}
