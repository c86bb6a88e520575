import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

/** A flag that a command does not take, or one without its value. The message is the beginning of a sentence. */
export class ArgumentsError extends Error {
  override name = 'ArgumentsError';
}

type Values<Flags extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: Flags }>>['values'];
export type Arguments<Flags extends ParseArgsOptionsConfig> = { help: boolean; values: Values<Flags>; words: string[] };

/** Reads what was typed behind the name of a command: its flags, `--help` and `-h`, and words. @throws {ArgumentsError} */
export function readArguments<Flags extends ParseArgsOptionsConfig>(args: string[], flags: Flags): Arguments<Flags> {
  const options: ParseArgsOptionsConfig = { ...flags, help: { type: 'boolean', short: 'h' } };
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { help: values.help === true, values: values as Values<Flags>, words: positionals };
  } catch (cause) {
    // What follows the first sentence is for programmers.
    const [what] = (cause instanceof Error ? cause.message : String(cause)).split(/\.(?:\s|$)/);
    throw new ArgumentsError(what, { cause });
  }
}
