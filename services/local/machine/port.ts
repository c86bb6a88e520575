import { codeOf } from './refusal.ts';

/** Below those that a system gives to outgoing connections: from 32768 on Linux, from 49152 on macOS. */
const [FIRST, LAST] = [10_000, 32_767];

/** Each process looks from another place on, so that two hardly ever find the same. */
let next = FIRST + ((process.pid * 211) % (LAST - FIRST));

/** A TCP port of the loopback that was free a moment ago: whoever takes it must still be ready to lose the race. */
export function freePort(): number {
  const [port = 0] = freePorts(1);
  return port;
}

/** Different free ports, none of which this process was given before. */
export function freePorts(count: number): number[] {
  const found: number[] = [];
  while (found.length < count) {
    if (isFree(next)) found.push(next);
    next = next === LAST ? FIRST : next + 1;
  }
  return found;
}

/** Whether nobody listens on the port of the loopback. */
export function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES') return false;
    throw error;
  }
}
