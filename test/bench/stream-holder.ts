// Holds the client's side of thousands of streams, in a process of its own: so its memory and its cores' time are not
// those of whoever measures, and its descriptors are its own. It is told what to do over the IPC channel of Bun.

/** What it is asked. Every `stuckEvery`th client stops reading once it is ready. */
export type Ask =
  | { do: 'open'; port: number; headers: string[]; stuckEvery: number }
  /** Until so many lines have come to clients that read, or `ms` have passed. */
  | { do: 'await'; lines: number; ms: number }
  | { do: 'close' };
/** `latencies`: of every line since the last time, ms. */
export type Told = { ms: number; latencies: number[] };

const OPENING = 200;
const sockets: Bun.Socket[] = [];
let latencies: number[] = [];
let arrived = () => {};

/** Of this machine, ms since the epoch and finer than Date: sender and holder are two processes. */
const clock = () => performance.timeOrigin + performance.now();

function take(text: string): void {
  const at = clock();
  for (const [, sentAt] of text.matchAll(/"title":"at (\d+\.?\d*)"/g)) latencies.push(at - Number(sentAt));
  arrived();
}

async function openOne(port: number, header: string, isStuck: boolean): Promise<void> {
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  let isReady = false;
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      open: (own) =>
        void own.write(
          `GET /api/v1/notifications/stream HTTP/1.1\r\nhost: localhost\r\nauthorization: ${header}\r\n\r\n`,
        ),
      data(own, bytes) {
        const text = bytes.toString('latin1');
        if (isReady) return take(text);
        if (!text.startsWith('HTTP/1.1 200') && !text.includes('event: ready'))
          return reject(new Error(text.slice(0, 200)));
        if (!text.includes('event: ready')) return;
        isReady = true;
        if (isStuck) own.pause();
        resolve();
      },
      error: (_, error) => reject(error),
      close: () => reject(new Error('closed')),
    },
  });
  sockets.push(socket);
  await ready;
}

async function open({ port, headers, stuckEvery }: Extract<Ask, { do: 'open' }>): Promise<void> {
  let next = 0;
  const loop = async () => {
    for (let n = next++; n < headers.length; n = next++) await openOne(port, headers[n] ?? '', n % stuckEvery === 1);
  };
  await Promise.all(Array.from({ length: OPENING }, loop));
}

async function lines({ lines: count, ms }: Extract<Ask, { do: 'await' }>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  arrived = () => latencies.length >= count && resolve();
  arrived();
  await promise;
  clearTimeout(timer);
}

process.on('message', async (ask: Ask) => {
  const from = performance.now();
  if (ask.do === 'open') await open(ask);
  if (ask.do === 'await') await lines(ask);
  if (ask.do === 'close') for (const socket of sockets.splice(0)) socket.terminate();
  process.send?.({ ms: performance.now() - from, latencies } satisfies Told);
  latencies = [];
});
process.on('disconnect', () => process.exit(0));
