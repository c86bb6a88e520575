/** A server that answers with the status that is its path, `?ms=` later: `/503?ms=50`. */
export const serveLate = () =>
  Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      await Bun.sleep(Number(searchParams.get('ms') ?? 0));
      return new Response('{"answer":1}', { status: Number(pathname.slice(1)) });
    },
  });
