import { join } from 'node:path';
import { endsWithin } from './processes.ts';

const root = join(import.meta.dir, '../../..');

export type Child = {
  pid: number;
  exited: Promise<unknown>;
  /** SIGTERM, and SIGKILL when that has not ended it within its limit. */
  stop(): Promise<void>;
  /** SIGKILL. Resolves when it has ended; nothing happens to one that had. */
  kill(): Promise<void>;
  /** The last of what it printed, once it has ended. */
  lastLines(): Promise<string[]>;
};

const LINES_KEPT = 20;

/** A program of ours. It reads no `.env` file, so that what it is given is all that it gets. */
export function spawnProgram(
  script: string,
  environment: Record<string, string>,
  options: { onLine: (line: string) => void; limitMs?: number },
): Child {
  return spawnCommand([process.execPath, '--no-orphans', '--no-env-file', script], environment, options);
}

/** Any program. `environment` is the whole of what it gets. */
export function spawnCommand(
  command: string[],
  environment: Record<string, string>,
  { onLine, limitMs = 5000 }: { onLine: (line: string) => void; limitMs?: number },
): Child {
  const child = Bun.spawn(command, {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Out of the terminal's process group: a Ctrl-C must reach the supervisor alone, which knows the order.
    detached: true,
  });
  const lines: string[] = [];
  const keep = (line: string) => {
    if (lines.push(line) > LINES_KEPT) lines.shift();
    onLine(line);
  };
  const ends = Promise.all([eachLine(child.stdout, keep), eachLine(child.stderr, keep)]);

  async function kill(): Promise<void> {
    child.kill('SIGKILL'); // by its pid it might hit a stranger: Bun knows that it has ended
    await child.exited;
  }
  return {
    pid: child.pid,
    exited: child.exited,
    async stop() {
      child.kill('SIGTERM');
      if (!(await endsWithin(child, limitMs))) await kill();
    },
    kill,
    lastLines: () => ends.then(() => lines),
  };
}

/**
 * Waits until `probe` no longer throws. When the child ends before, or `ms` have passed, it is killed, and the error has
 * its last lines; the cause is what `probe` threw last.
 */
export async function untilReady(
  child: Child,
  { name, ms, probe }: { name: string; ms: number; probe: () => Promise<unknown> },
): Promise<Child> {
  let runs = true;
  void child.exited.then(() => (runs = false));
  try {
    await untilSuccess(probe, ms, () => runs);
    return child;
  } catch (cause) {
    const what = runs ? `was not ready within ${ms / 1000} s` : `ended with ${await child.exited} while it started`;
    await child.kill();
    throw new Error(`${name} ${what}:\n${(await child.lastLines()).join('\n')}`, { cause });
  }
}

/** Waits until `GET url` answers 200. Throws with the last answer when `ms` have passed or `isNeeded` says no. */
export async function answers(url: string, ms: number, isNeeded: () => boolean): Promise<void> {
  const from = performance.now();
  try {
    await untilSuccess(() => requireOk(url), ms, isNeeded);
  } catch (cause) {
    const last = cause instanceof Error ? cause.message : String(cause);
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    throw new Error(`${url} was not ready after ${seconds} s: ${last}`, { cause });
  }
}

/** `GET url`. Throws with the answer when that is not 200. */
export async function requireOk(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
}

/** Throws when nobody listens on this port of the loopback. */
export async function requireListener(port: number): Promise<void> {
  const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } });
  socket.end();
}

/** Throws what `probe` threw last. */
async function untilSuccess(probe: () => Promise<unknown>, ms: number, isNeeded: () => boolean): Promise<void> {
  let last: unknown = new Error('nobody asked');
  const deadline = performance.now() + ms;
  while (isNeeded() && performance.now() < deadline) {
    try {
      await probe();
      return;
    } catch (error) {
      last = error;
    }
    await Bun.sleep(15);
  }
  throw last;
}

export async function eachLine(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  }
  if (rest) onLine(rest);
}
