/** One connection that is kept: requests one after the other. */
export type Caller = {
  /** @returns the status, once the whole answer is there */
  call(method: string, path: string, headers: Record<string, string>, body?: string): Promise<number>;
  close(): void;
};

/**
 * HTTP/1.1 by hand (RFC 9112), for answers that say their length. On machines where the load generator shares the cores
 * with what it measures its own cost counts: this takes a third of the time of `fetch`.
 */
export async function openCaller(port: number): Promise<Caller> {
  let answered: ((status: number) => void) | undefined;
  let failed: ((error: Error) => void) | undefined;
  let head = '';
  let status = 0;
  let missing = -1; // bytes of the body still to come; below 0: of the head too

  function take(bytes: Buffer): void {
    let body = bytes.length;
    if (missing < 0) {
      const before = head.length;
      head += bytes.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /\r\ncontent-length: (\d+)/i.exec(head.slice(0, end))?.[1];
      if (length === undefined) return fail('an answer without its length');
      status = Number(head.slice(9, 12));
      missing = Number(length);
      body = before + bytes.length - end - 4;
    }
    missing -= body;
    if (missing > 0) return;
    [head, missing] = ['', -1];
    answered?.(status);
  }

  function fail(why: string): void {
    failed?.(new Error(`127.0.0.1:${port} gave ${why}`));
  }

  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data: (_, bytes) => take(bytes),
      close: () => fail('no answer and closed'),
      error: () => fail('an error'),
    },
  });
  return {
    call(method, path, headers, body = '') {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      [answered, failed] = [resolve, reject];
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      const all = {
        host: 'localhost',
        ...headers,
        ...(body !== '' && { 'content-type': 'application/json', ...length }),
      };
      const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
      return promise;
    },
    close() {
      failed = undefined;
      socket.end();
    },
  };
}
