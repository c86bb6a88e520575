/** What a server answers to bytes that `fetch` would never send. Ends when the server closes, so ask for that. */
export async function said(port: number, request: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = '';
  let unsent: Uint8Array = new TextEncoder().encode(request);
  const send = (socket: Bun.Socket) => void (unsent = unsent.subarray(Math.max(socket.write(unsent), 0)));
  await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      open: send,
      drain: send,
      data: (_socket, bytes) => void (answer += bytes.toString()),
      close: () => resolve(answer),
    },
  });
  return promise;
}
