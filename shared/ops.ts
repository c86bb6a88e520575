import { userInfo } from 'node:os';
import type { Pool } from './db.ts';
import { createLog, type Log } from './log.ts';

/** One command of an operator. `run` answers what to print. @throws {CommandError} for what the operator can mend */
export interface Command {
  /** What it must be given, for its usage line. */
  takes: string[];
  does: string;
  run: (context: { sql: Pool; operator: string }, given: string[]) => Promise<string>;
}

export type Group = Record<string, Command>;

/** A command that cannot be done, said for the operator. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/**
 * Runs `<group> <command> …` as an operator typed it (CONTRACT 2, rule 6). The result goes to stdout; what went wrong, and a
 * log line with operator, command and outcome, to stderr. `operator` empty: the name of the system account.
 * @returns the exit code: 0 done, or help that was asked for; 1 failed; 2 there is no such command
 */
export async function runCommand(
  words: string[],
  {
    appId,
    groups,
    operator,
    open,
  }: { appId: string; groups: Record<string, Group>; operator: string; open: () => Pool },
): Promise<number> {
  const [groupName = '', commandName = '', ...given] = words;
  const group = Object.hasOwn(groups, groupName) ? groups[groupName] : undefined;
  const command = group && Object.hasOwn(group, commandName) ? group[commandName] : undefined;
  if (!command) return say(words, allUsages(appId, groups));
  if (given.includes('--help') || given.length !== command.takes.length) {
    return say(given, usage(groupName, commandName, command));
  }
  const log = createLog(appId, { write: (line) => console.error(line) }).child({
    operator: operator || userInfo().username,
    command: `${groupName} ${commandName}`,
    arguments: given,
  });
  return logged(log, open(), (sql) => command.run({ sql, operator: operator || userInfo().username }, given));
}

async function logged(log: Log, sql: Pool, run: (sql: Pool) => Promise<string>): Promise<number> {
  try {
    console.log(await run(sql));
    log.info('operator command', { outcome: 'done' });
    return 0;
  } catch (error) {
    log.error('operator command', { outcome: 'failed', error });
    console.error(error instanceof CommandError ? error.message : String(error));
    return 1;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function allUsages(appId: string, groups: Record<string, Group>): string {
  const lines = Object.entries(groups).flatMap(([groupName, group]) =>
    Object.entries(group).map(([name, command]) => `  ${usage(groupName, name, command)}`),
  );
  return `Commands of ${appId}:\n${lines.join('\n')}`;
}

function usage(group: string, name: string, { takes, does }: Command): string {
  return `${[group, name, ...takes.map((word) => (word.startsWith('--') ? word : `<${word}>`))].join(' ')}   ${does}`;
}

/** Asked for, help is a result; otherwise it is what was wrong with the command. */
function say(words: string[], text: string): number {
  const isAsked = words.includes('--help') || words[0] === 'help';
  (isAsked ? console.log : console.error)(text);
  return isAsked ? 0 : 2;
}
