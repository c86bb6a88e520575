import './require-bun.ts';
import { $ } from 'bun';
import { join } from 'node:path';
import { bypassProxy } from '#shared/loopback';
import { isOpen, localUrl, publicUrl } from './address.ts';
import { perApp } from './machine/apps.ts';
import { bun } from './machine/command-line.ts';
import { forgetPostgresVariables } from './postgres/database-url.ts';
import { requireOurs } from './state/folder.ts';
import { type Options, readOptions, usage } from './options.ts';
import { codeOf, Refusal } from './machine/refusal.ts';
import { watchSignals } from './machine/signals.ts';
import { serviceSettings, type Stack } from './stack.ts';
import { Interrupted, NotReady, type Part, type Session } from './session.ts';
import { demoOf, startAll } from './start.ts';
import { openState, stateFolder } from './state/state.ts';
import { createTerminal, wantsColours } from './machine/terminal.ts';
import { watchSources } from './watch.ts';

bypassProxy(process.env);
process.exit(await up());

/** All of TaskFlow on this machine until a signal comes. Answers the exit code: 2 = a person must change something. */
async function up(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2), process.env);
    if (options.help) {
      console.log(usage);
      return 0;
    }
    forgetPostgresVariables();
    const folder = stateFolder();
    if (options.fresh && !isAgreed(folder, options)) {
      console.log('Nothing was removed, and nothing started.');
      return 0;
    }
    const signals = watchSignals(); // not before: while a question waits, Ctrl-C ends the process
    const state = await openState(folder, options);
    const colours = wantsColours(process.stdout, process.env);
    const terminal = createTerminal({ folder: state.path('logs'), colours });
    try {
      await runUntilSignal({ options, state, terminal, signals });
    } finally {
      state.release();
    }
    return 0;
  } catch (error) {
    return explain(error);
  }
}

async function runUntilSignal(session: Session): Promise<void> {
  const { terminal, signals } = session;
  const stages: Part[][] = [];
  signals.onHurry(() => killServices(stages));
  try {
    const stack = await startAll(session, (...parts) => void stages.push(parts));
    using watching = new DisposableStack();
    // Before anybody learns that all runs, and changes a file.
    if (session.options.watch) watching.defer(restartChanged(session, stages.flat()));
    remember(session, stack, stages.flat());
    terminal.print(screen(session, stages.flat()));
    terminal.step(`${await signals.first}: stopping, one after the other`);
  } finally {
    await stopAll(stages);
    if (stages.length > 0) terminal.step('all stopped');
  }
}

/** For `--watch`. Answers how to end it. */
function restartChanged({ terminal }: Session, parts: Part[]): () => void {
  const { close } = watchSources(join(import.meta.dir, '../..'), async (names, file) => {
    terminal.step(`${file} changed: starting again ${names.join(', ')}`);
    const changed = parts.filter(({ name }) => names.some((one) => one === name));
    await Promise.all(changed.map((part) => part.restart?.()));
  });
  return close;
}

/** Whether data, secrets and logs may go; asks on a terminal. A database given by DATABASE_URL is not touched. */
function isAgreed(folder: string, { yes }: Options): boolean {
  requireOurs(folder);
  if (yes) return true;
  if (process.stdin.isTTY && process.stdout.isTTY) return confirm(`Remove all tasks, users and secrets in ${folder}?`);
  throw new Refusal(
    `--fresh removes all tasks, users and secrets in ${folder}: say --yes besides, since nobody can be asked here.`,
  );
}

/** For `bun run demo` and `bun run ops`. */
function remember({ state, options }: Session, stack: Stack, parts: Part[]): void {
  state.saveRunning({
    pid: process.pid,
    url: localUrl(options),
    settings: perApp((appId) => serviceSettings(stack, appId)),
    processes: parts.map(({ name, port, pid }) => ({ name, port, pid: pid() ?? 0 })),
  });
}

function screen(session: Session, parts: Part[]): string {
  const { options, state, terminal } = session;
  const demo = demoOf(session);
  const url = publicUrl(options);
  const { host } = options;
  const line = (name: string, ...rest: string[]) => `  ${name.padEnd(32)}${rest.join('  ')}`;
  const { TASKFLOW_STATE = '' } = process.env;
  const prefix = TASKFLOW_STATE ? `TASKFLOW_STATE=${$.escape(TASKFLOW_STATE)} ` : '';
  return [
    '',
    terminal.bold(`TaskFlow runs, ready after ${(terminal.elapsedMs() / 1000).toFixed(1)} s.`),
    '',
    line('page', url),
    line('API', `${url}/api/v1`, `described at ${url}/docs`),
    ...(demo ? [line('demo user', demo.email, demo.password)] : []),
    line(options.databaseUrl ? 'secrets, logs' : 'data, secrets, logs', state.folder),
    '',
    ...parts.map(({ name, port }) => line(name, `${name === 'gateway' ? host : '127.0.0.1'}:${port}`)),
    ...(isOpen(options) ? ['', ...openWords(url)] : []),
    '',
    'Now, in another terminal:',
    '',
    terminal.bold(`  ${prefix}${bun} run demo`),
    '',
    'Ctrl-C stops everything; the next `up` goes on with the same data.',
    '',
  ].join('\n');
}

/** What it means that others reach it. */
function openWords(url: string): string[] {
  const everybody = `Everybody in the network reaches ${url}, and may sign up unless SIGNUP is invite or closed.`;
  if (url.startsWith('https:')) return [everybody];
  return [
    everybody,
    'By plain http others can read what passes, and browsers show no notifications: use https beyond a network you trust.',
  ];
}

/** In reverse: those who use a part are gone before it. One that fails to stop does not keep the others running. */
async function stopAll(stages: Part[][]): Promise<void> {
  for (const stage of stages.reverse()) {
    for (const result of await Promise.allSettled(stage.map((part) => part.stop()))) {
      if (result.status === 'rejected') console.error(result.reason);
    }
  }
}

/**
 * A second Ctrl-C. All that was accepted is in Postgres, which is still stopped in its own fast way; with `--real` what was
 * published is in Kafka's files besides, and a kill leaves them as they are for the next `up`.
 */
function killServices(stages: Part[][]): void {
  for (const { name, pid } of stages.flat()) {
    const running = pid();
    if (running && name !== 'postgres' && running !== process.pid) process.kill(running, 'SIGKILL');
  }
}

function explain(error: unknown): number {
  if (error instanceof Interrupted) return 0;
  if (error instanceof NotReady) {
    console.error(error.message);
    return 1;
  }
  const message = error instanceof Refusal ? error.message : systemRefusal(error);
  console.error(message ?? error);
  return message === undefined ? 1 : 2;
}

function systemRefusal(error: unknown): string | undefined {
  switch (codeOf(error)) {
    case 'ENOSPC':
      return 'The disk is full: free about 100 MB and try again.';
    case 'EACCES':
    case 'EROFS':
      return `${error instanceof Error ? error.message : error}: make it writable, or name another folder in TASKFLOW_STATE.`;
    default:
      return undefined;
  }
}
