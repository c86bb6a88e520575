import { codeOf } from './refusal.ts';

/** A TCP port of the loopback that was free a moment ago: whoever takes it must still be ready to lose the race. */
export function freePort(): number {
  const [port = 0] = freePorts(1);
  return port;
}

/** Different free ports: all are held until the last is found. */
export function freePorts(count: number): number[] {
  const probes = Array.from({ length: count }, () => listen(0));
  for (const probe of probes) probe.stop(true);
  return probes.map(({ port }) => port);
}

/** Whether nobody listens on the port of the loopback. */
export function isFree(port: number): boolean {
  try {
    listen(port).stop(true);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES') return false;
    throw error;
  }
}

function listen(port: number) {
  return Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } });
}
