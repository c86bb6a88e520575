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

/** Whether there is such a process, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * The npx that started this process some shells up, if any. Killed, it tells nobody below: not the shell, not
 * `bun run`, and so not us.
 */
export function npxAbove(): number | undefined {
  for (let pid = process.ppid, level = 0; pid > 1 && level < 6; pid = parentOf(pid), level += 1) {
    if (/(^|[/\s\0])np[mx](-cli\.js)?[\s\0]/.test(commandOf(pid))) return pid;
  }
  return undefined;
}

function parentOf(pid: number): number {
  if (process.platform !== 'linux') {
    return Number(Bun.spawnSync(['ps', '-o', 'ppid=', '-p', String(pid)], { stderr: 'ignore' }).stdout.toString());
  }
  // `pid (name) state ppid …`: the name may hold blanks and parentheses.
  return Number(
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) . /s, '')
      .split(' ')[0],
  );
}

/** Waits until the child has ended, at most `ms`; answers whether it has. */
export async function endsWithin(child: { exited: Promise<unknown> }, ms: number): Promise<boolean> {
  const timer = Promise.withResolvers<false>();
  const timeout = setTimeout(() => timer.resolve(false), ms);
  const hasEnded = await Promise.race([child.exited.then(() => true), timer.promise]);
  clearTimeout(timeout);
  return hasEnded;
}
