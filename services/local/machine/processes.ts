import { readdirSync, readFileSync } from 'node:fs';
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
  return Number(statOf(`/proc/${pid}`)[1]);
}

/** State, parent and more of a process or thread. `pid (name) state ppid …`: the name may hold blanks and parentheses. */
const statOf = (folder: string): string[] =>
  readFileSync(`${folder}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');

/**
 * Freezes a process, and answers when it stands: the thread that takes the signal stops the others, and until it has been
 * scheduled they go on. `SIGCONT` lets it go on. Elsewhere than on Linux it answers at once.
 */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  if (process.platform !== 'linux') return;
  const threads = () => readdirSync(`/proc/${pid}/task`).map((id) => statOf(`/proc/${pid}/task/${id}`)[0] ?? '');
  const stands = () => threads().every((state) => 'TZX'.includes(state)); // stopped, or ended
  for (const deadline = Date.now() + 5000; !stands();) {
    if (Date.now() > deadline) throw new Error(`process ${pid} did not stop within 5 s`);
    await Bun.sleep(1);
  }
}

/** Waits until the child has ended, at most `ms`; answers whether it has. */
export async function endsWithin(child: { exited: Promise<unknown> }, ms: number): Promise<boolean> {
  const timer = Promise.withResolvers<false>();
  const timeout = setTimeout(() => timer.resolve(false), ms);
  const hasEnded = await Promise.race([child.exited.then(() => true), timer.promise]);
  clearTimeout(timeout);
  return hasEnded;
}
