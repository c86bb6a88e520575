import type { ParseArgsOptionsConfig } from 'node:util';
import { type Arguments, ArgumentsError, readArguments } from '#shared/arguments';
import { Refusal } from './refusal.ts';

const offline = process.env.npm_config_offline === 'true' ? '--offline ' : '';

/** How the person runs Bun: started by npx there may be no `bun` in the next terminal, and no network still. */
export const bun = process.execPath.includes('_npx') ? `npx ${offline}-y bun@${Bun.version}` : 'bun';

/** What a command of package.json takes, besides `--help` and `-h`. */
export type Syntax<Flags extends ParseArgsOptionsConfig> = {
  /** Its name there. */
  name: string;
  flags: Flags;
  /** Why a word that is no flag is refused, if it is. Without this all are. */
  refuse?: (word: string, index: number) => string | undefined;
};

/** What was typed behind the name of a command. Throws `Refusal` for what it does not take, unless help is asked for. */
export function readCommand<Flags extends ParseArgsOptionsConfig>(
  args: string[],
  { name, flags, refuse = (word) => `Unexpected argument '${word}'` }: Syntax<Flags>,
): Arguments<Flags> {
  const hint = `\`${bun} run ${name} --help\` says what it takes.`;
  try {
    const given = readArguments(args, flags);
    const why = given.words.map(refuse).find((reason) => reason !== undefined);
    if (why !== undefined && !given.help) throw new Refusal(`${why}: ${hint}`);
    return given;
  } catch (error) {
    throw error instanceof ArgumentsError ? new Refusal(`${error.message}: ${hint}`, { cause: error }) : error;
  }
}

/** The same of this process. After a refusal it ends with 2, and after help, which is its `usage`, with 0. */
export function commandOrExit<Flags extends ParseArgsOptionsConfig>(
  { usage, ...syntax }: Syntax<Flags> & { usage: string },
  args = process.argv.slice(2),
): Arguments<Flags> {
  try {
    const given = readCommand(args, syntax);
    if (!given.help) return given;
  } catch (error) {
    return exitWith(error);
  }
  console.log(usage);
  return process.exit(0);
}

/** Ends a command that failed: with 2 when the person must change something (a `Refusal`, said in one sentence), else with 1. */
export function exitWith(error: unknown): never {
  console.error(error instanceof Refusal ? error.message : error);
  return process.exit(error instanceof Refusal ? 2 : 1);
}

/**
 * Tells on standard error how a command gets on, with the seconds since its start. Plain on a terminal too, where
 * `console.error` prints red (Bun 1.4.5).
 */
export function createProgress(): (line: string) => void {
  const startedAt = performance.now();
  return (line) => console.warn(`[${((performance.now() - startedAt) / 1000).toFixed(1)} s] ${line}`);
}
