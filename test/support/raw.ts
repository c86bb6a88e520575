/** What a server answers to bytes that `fetch` would never send. Ends when the server closes, so ask for that. */
export async function said(port: number, request: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = '';
  await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      open: (socket) => void socket.write(request),
      data: (_socket, bytes) => void (answer += bytes.toString()),
      close: () => resolve(answer),
    },
  });
  return promise;
}
