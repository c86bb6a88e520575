import type { RunningStack } from '../support/stack.ts';
import { print } from './figures.ts';

/** Resident memory of each service and, on the real parts, of Kafka and each sidecar. */
export function printMemory({ names, pidOf, sidecars }: RunningStack): void {
  const services = names.map((name) => [name, pidOf(name)] as const);
  for (const [name, pid] of [...services, ...sidecars.pids()]) {
    if (pid !== undefined) print(`RSS ${name}`, `${Math.round(residentKiB(pid) / 1024)} MiB`);
  }
}

/** Of a process that runs. */
export function residentKiB(pid: number): number {
  const { stdout } = Bun.spawnSync(['ps', '-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.toString());
}
