import { readdirSync, readFileSync } from 'node:fs';
import type { RunningStack } from '../support/stack.ts';
import { median, print } from './figures.ts';

/** By process, ms. */
export type Cpu = Map<string, number>;

const MS_A_TICK = 10; // Linux tells times in hundredths of a second, whatever its clock is

/**
 * What each process has used since it started: services, sidecars and broker, and Postgres with all its processes; the load
 * generator is none of them. Empty where there is no `/proc`.
 */
export async function cpuOf({ names, pidOf, sidecars, database }: RunningStack): Promise<Cpu> {
  if (process.platform !== 'linux') return new Map();
  const [backend] = await database.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const used: Cpu = new Map();
  for (const [name, pid] of [...names.map((name) => [name, pidOf(name)] as const), ...sidecars.pids()]) {
    if (pid !== undefined) used.set(name, timesOf(pid)?.ownMs ?? 0);
  }
  const postmaster = timesOf(backend?.pid ?? 0)?.parent; // none where Postgres runs elsewhere
  if (postmaster !== undefined) used.set('Postgres', familyMs(postmaster));
  return used;
}

/** The medians of several rounds, and their sum: µs for each of `count` tasks. */
export function printCpu(rounds: { before: Cpu; after: Cpu; count: number }[]): void {
  const names = [...(rounds[0]?.after.keys() ?? [])];
  if (names.length === 0) return;
  const of = (name: string) =>
    median(rounds.map(({ before, after, count }) => ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / count));
  const shares = names.map((name) => ({ name, ms: of(name) }));
  const sum = shares.reduce((total, { ms }) => total + ms, 0);
  print('CPU of a task, all but the load generator', `${sum.toFixed(2)} ms`);
  for (const { name, ms } of shares) print(`  ${name}`, `${ms.toFixed(2)} ms`);
}

type Times = { parent: number; ownMs: number; ofEndedMs: number };

/** Fields 4 and 14 to 17 of `/proc/PID/stat` (proc_pid_stat(5)), behind the name, which may hold anything. */
function timesOf(pid: number): Times | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const [user = 0, system = 0, userEnded = 0, systemEnded = 0] = fields.slice(11, 15).map(Number);
    const ofEndedMs = (userEnded + systemEnded) * MS_A_TICK;
    return { parent: Number(fields[1]), ownMs: (user + system) * MS_A_TICK, ofEndedMs };
  } catch {
    return undefined; // it has ended
  }
}

/** Of a process and its children, also those that have ended. */
function familyMs(parent: number): number {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const children = pids.map(timesOf).filter((times) => times?.parent === parent);
  const own = timesOf(parent);
  return children.reduce((sum, times) => sum + (times?.ownMs ?? 0), (own?.ownMs ?? 0) + (own?.ofEndedMs ?? 0));
}
