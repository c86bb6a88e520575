/** An HTTP proxy that passes nothing on and remembers what it was asked for. */
export function openProxy() {
  const requests: string[] = [];
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket, bytes) {
        requests.push(bytes.toString().split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      },
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    requests,
    /** Sends all HTTP through it, with no exception. */
    environment: { HTTP_PROXY: url, http_proxy: url, HTTPS_PROXY: url, ALL_PROXY: url, NO_PROXY: '', no_proxy: '' },
    close: () => server.stop(true),
  };
}
