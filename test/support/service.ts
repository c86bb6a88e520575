import { join } from 'node:path';
import { eachLine } from '../../services/local/machine/child.ts';
import { eventually } from './wait.ts';

type Logged = { message: string; level: string; port?: number; [field: string]: unknown };

/**
 * The `main.ts` of a folder of services/ as a process of its own, on a free port of the loopback; resolves when it has logged
 * that it is `ready`. `env` is the whole of its environment. Throws after 15 s with what it said, and has killed it then. Its
 * errors are printed, since they explain a failed test. Ended by whoever calls.
 */
export async function startService(name: string, env: Record<string, string>, { ready = 'listening' } = {}) {
  const main = join(import.meta.dir, '../../services', name, 'main.ts');
  const child = Bun.spawn([process.execPath, '--no-orphans', main], {
    env: { HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Logged[] = [];
  void eachLine(child.stdout, (line) => {
    const logged = JSON.parse(line) as Logged;
    lines.push(logged);
    if (logged.level === 'error') console.error(line);
  });
  /** Its first line with this message. */
  const logged = (message: string) => lines.find((line) => line.message === message);
  try {
    const { port } = await eventually(() => logged(ready), { ms: 15_000, what: `${name} to be ready` });
    return { child, logged, origin: `http://127.0.0.1:${port}` };
  } catch (cause) {
    child.kill('SIGKILL');
    throw new Error(`${name} is not ready:\n${lines.map((line) => JSON.stringify(line)).join('\n')}`, { cause });
  }
}
