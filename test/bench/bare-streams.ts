// What a stream costs at least: connections over plain TCP to which the same bytes are written. A client asks with its
// number where its token would be. An event is a request whose target is the number of
// one of them, or nothing for all, and whose body is written to it.
const streams: Bun.Socket<{ asked: string }>[] = [];

const server = Bun.listen<{ asked: string }>({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open: (socket) => void (socket.data = { asked: '' }),
    data(socket, bytes) {
      const asked = (socket.data.asked += bytes.toString('latin1'));
      const end = asked.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/.exec(asked)?.[1] ?? 0);
      if (asked.length < end + 4 + length) return;
      socket.data.asked = '';
      if (asked.startsWith('GET')) {
        streams[Number(/authorization: (\d+)/.exec(asked)?.[1])] = socket;
        socket.write(
          'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nid: 0\nevent: ready\ndata: {"cursor":0}\n\n',
        );
        return;
      }
      const frame = asked.slice(end + 4);
      const n = /^POST \/(\d+)/.exec(asked)?.[1];
      for (const stream of n === undefined ? streams : [streams[Number(n)]]) stream?.write(frame);
      socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    },
  },
});
process.send?.(server.port);
process.on('disconnect', () => process.exit(0));
