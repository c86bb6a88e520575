/** Answers the first request, and ends the connection at each that follows. `asked`: the methods of all. */
export function startDying() {
  const asked: string[] = [];
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket, bytes) {
        asked.push(bytes.toString().split(' ')[0] ?? '');
        if (asked.length === 1) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        else socket.terminate();
      },
    },
  });
  return { port: server.port, asked, stop: () => server.stop(true) };
}
