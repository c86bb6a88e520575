import { join } from 'node:path';
import { eventually } from './wait.ts';

type Logged = { message: string; port?: number };

/**
 * A service as a process of its own, on a free port of the loopback; resolves when it listens. `env` is the whole of its
 * environment. Throws after 15 s with what it said, and has killed it then. Ended by whoever calls.
 */
export async function startService(appId: string, env: Record<string, string>) {
  const main = join(import.meta.dir, '../../services', appId, 'main.ts');
  const child = Bun.spawn([process.execPath, '--no-orphans', main], {
    env: { HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  void (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) output += chunk;
  })();
  /** Its first line with this message. */
  const logged = (message: string) =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Logged)
      .find((line) => line.message === message);
  try {
    const port = await eventually(() => logged('listening')?.port, { ms: 15_000, what: `${appId} to listen` });
    return { child, logged, origin: `http://127.0.0.1:${port}` };
  } catch (cause) {
    child.kill('SIGKILL');
    throw new Error(`${appId} does not listen:\n${output}`, { cause });
  }
}
