import type { Socket } from 'bun';

interface Pipe {
  other: Socket<Pipe> | null;
  held: Buffer[];
  /** Of a client whose words reach nobody any more. */
  isMute?: boolean;
  /** Set while the answer to a statement must not arrive; called when it would have. */
  swallowed?: () => void;
}

/**
 * Stands between a service and its Postgres, or a browser and the gateway; `cut` is a server that is gone, `restore` one that came back. `swallow`
 * stops a connection at one exact statement.
 */
export function startRelay(target: string) {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket<Pipe>>();
  let isCut = false;
  let sent = 0;
  let watched: { text: string; what: 'statement' | 'answer'; swallowed: () => void } | null = null;

  /** True when the bytes must not reach the server. */
  function isStopped(client: Socket<Pipe>, bytes: Buffer): boolean {
    if (!watched || !bytes.includes(watched.text)) return false;
    const { what, swallowed } = watched;
    watched = null;
    if (what === 'statement') swallowed();
    else if (client.data.other) client.data.other.data.swallowed = swallowed;
    return what === 'statement';
  }

  const listener = Bun.listen<Pipe>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      async open(client) {
        client.data = { other: null, held: [] };
        if (isCut) return void client.terminate();
        open.add(client);
        client.data.other = await Bun.connect<Pipe>({
          hostname,
          port: Number(port),
          data: { other: client, held: [] },
          socket: {
            data: ({ data }, bytes) => void (data.swallowed ? data.swallowed() : data.other?.write(bytes)),
            close: ({ data }) => void data.other?.end(),
          },
        });
        for (const bytes of client.data.held) client.data.other.write(bytes);
      },
      data(client, bytes) {
        sent += bytes.length;
        if (client.data.isMute || isStopped(client, bytes)) return;
        void (client.data.other?.write(bytes) ?? client.data.held.push(Buffer.from(bytes)));
      },
      close(client) {
        open.delete(client);
        client.data.other?.end();
      },
    },
  });

  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(listener.port);
  return {
    url: url.href,
    /** How many bytes the service has sent. */
    sent: () => sent,
    cut(): void {
      isCut = true;
      for (const client of open) client.terminate();
    },
    restore: () => void (isCut = false),
    /** What is connected stays so and hears nothing more, nor is heard: a network that was left. New connections work. */
    mute(): void {
      for (const { data } of open) {
        if (data.other) data.other.data.swallowed = () => {};
        data.isMute = true;
      }
    },
    /** Drops the next statement that contains `text`, or the answer to it. Resolves when it has; the connection stays. */
    swallow(text: string, what: 'statement' | 'answer'): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      watched = { text, what, swallowed: resolve };
      return promise;
    },
    stop: () => listener.stop(true),
  };
}
