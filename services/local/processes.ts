import { readFileSync } from 'node:fs';
import { codeOf } from './refusal.ts';

/**
 * The command line of a running process, arguments separated by NUL or blank, or '' when there is none. A pid may have
 * been given to another program since it was noted: only this says whether it is still ours.
 */
export function commandOf(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return '';
    throw error;
  }
  return Bun.spawnSync(['ps', '-o', 'args=', '-p', String(pid)], { stderr: 'ignore' }).stdout.toString();
}

/** Waits until the child has ended, at most `ms`; answers whether it has. */
export async function endsWithin(child: { exited: Promise<unknown> }, ms: number): Promise<boolean> {
  const timer = Promise.withResolvers<false>();
  const timeout = setTimeout(() => timer.resolve(false), ms);
  const hasEnded = await Promise.race([child.exited.then(() => true), timer.promise]);
  clearTimeout(timeout);
  return hasEnded;
}
