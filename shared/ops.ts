import type { TObject } from '@sinclair/typebox';
import { type Arguments, ArgumentsError, readArguments } from './arguments.ts';
import { configOrExit } from './config.ts';
import { connect, isTransient, type Pool } from './db.ts';
import { createLog } from './log.ts';
import { operatorName } from './operator.ts';
import { printable, printableJson } from './text.ts';

/** One command of an operator. @throws {CommandError} in `run`, for what the operator can mend */
interface Command {
  /** The words it must be given, by their names. A flag of its own, if there is one, stands in place of them. */
  takes: string[];
  /** Its flags, each with the name of the value that follows, or '' where none does. */
  flags?: Record<string, string>;
  does: string;
  run: (context: Context, words: string[], flags: Flags) => Promise<Result>;
}

export type Group = Record<string, Command>;

/** What a command found or did: a sentence or a table for a person, and the same as data for `--json`. */
export interface Result {
  text: string;
  data: unknown;
}

/** What a command works with: the service's own role and settings. */
export interface Context {
  sql: Pool;
  operator: string;
  config: Settings;
}

export interface Settings {
  DATABASE_URL: string;
  OPERATOR: string;
  HOST: string;
  PORT: number;
  APP_API_TOKEN: string;
}

type Flags = Record<string, unknown>;

/** A command that cannot be done, said for the operator in a sentence. */
export class CommandError extends Error {
  override name = 'CommandError';
}

interface Service {
  appId: string;
  groups: Record<string, Group>;
  /** Of its settings. They are not read for help, which is there without them. */
  schema: TObject;
  /** As `connect` has it. */
  publishes?: (config: Record<string, unknown>) => boolean;
}

/**
 * Runs `<group> <command> …` as an operator typed it (CONTRACT 2, rule 6). The result goes to stdout; what went wrong, and a
 * log line with operator, command and outcome, to stderr. The operator: `operatorName`.
 * @returns the exit code: 0 done, or help that was asked for; 1 failed; 2 there is no such command
 */
export async function runCommand(args: string[], service: Service): Promise<number> {
  const [groupName = '', commandName = ''] = args.filter((arg) => !arg.startsWith('-'));
  const group = own(service.groups, groupName);
  const command = group && own(group, commandName);
  if (!command) return listCommands(args, service, group && { [groupName]: group });
  const name = `${groupName} ${commandName}`;
  try {
    const { help, values, words } = read(args, command);
    const given = words.slice(2);
    if (help) {
      console.log(`${usage(name, command)}   ${command.does}`);
      return 0;
    }
    const isFlagged = Object.keys(command.flags ?? {}).some((flag) => values[flag] !== undefined);
    if (given.length !== (isFlagged ? 0 : command.takes.length)) throw new ArgumentsError('That is not how it is used');
    return await run(service, { name, given, isJson: values.json === true }, (context) =>
      command.run(context, given, values),
    );
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error;
    console.error(`${error.message}: ${usage(name, command)}`);
    return 2;
  }
}

const own = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

function read(args: string[], { flags = {} }: Command): Arguments<Record<string, { type: 'string' | 'boolean' }>> {
  const options = Object.entries(flags).map(([flag, value]) => [flag, { type: value ? 'string' : 'boolean' }] as const);
  return readArguments(args, { ...Object.fromEntries(options), json: { type: 'boolean' } });
}

async function run(
  { appId, schema, publishes = () => false }: Service,
  { name, given, isJson }: { name: string; given: string[]; isJson: boolean },
  command: (context: Context) => Promise<Result>,
): Promise<number> {
  const settings: Record<string, unknown> = configOrExit(schema);
  const config = settings as unknown as Settings;
  const sql = connect(config.DATABASE_URL, { name: `${appId} ops`, max: 2, publishes: publishes(settings) });
  const operator = operatorName(config.OPERATOR);
  // `console.error` would colour the line on a terminal (Bun 1.4.5).
  const log = createLog(appId, { write: (line) => console.warn(line) });
  const fields = { operator, command: name, arguments: given };
  try {
    const { text, data } = await command({ sql, operator, config });
    console.log(isJson ? printableJson(JSON.stringify(data)) : text);
    log.info('operator command', { ...fields, outcome: 'done' });
    return 0;
  } catch (error) {
    // What the operator can mend has no stack worth reading.
    const why = error instanceof CommandError ? { reason: error.message } : { error };
    log.error('operator command', { ...fields, outcome: 'failed', ...why });
    console.error(sentenceOf(error));
    return 1;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  const message = printable(error instanceof Error ? error.message : String(error));
  return isTransient(error) ? `The database cannot do it now (${message}): try again.` : `It failed: ${message}`;
}

/** Asked for, help is a result; otherwise it is what was wrong with the command. */
function listCommands(args: string[], { appId, groups }: Service, group: Record<string, Group> | undefined): number {
  const isAsked = args.some((arg) => arg === '--help' || arg === '-h') || args[0] === 'help';
  const commands = Object.entries(group ?? groups).flatMap(([groupName, each]) =>
    Object.entries(each).map(([name, command]) => [`  ${usage(`${groupName} ${name}`, command)}`, command.does]),
  );
  const list = `Commands of ${appId}, each with --json for programs:\n\n${columns(commands)}`;
  if (isAsked) console.log(list);
  else console.error(args.length > 0 ? `There is no command \`${args.join(' ')}\`. ${list}` : list);
  return isAsked ? 0 : 2;
}

function usage(name: string, { takes, flags = {} }: Command): string {
  const options = Object.entries(flags).map(([flag, value]) => `--${flag}${value && ` <${value}>`}`);
  const words = takes.map((word) => `<${word}>`).join(' ');
  return [name, [words, ...options].filter((part) => part !== '').join(' | ')].join(' ').trim();
}

/** Rows as a result: a table with these columns, or the sentence that there are `none`. */
export function listing<Row>(rows: Row[], cells: Record<string, (row: Row) => string>, none: string): Result {
  const table = [Object.keys(cells), ...rows.map((row) => Object.values(cells).map((cell) => cell(row)))];
  return { data: rows, text: rows.length > 0 ? columns(table) : none };
}

function columns(rows: string[][]): string {
  const shown = rows.map((row) => row.map(printable));
  const widths = shown[0]?.map((_, at) => Math.max(...shown.map((row) => Bun.stringWidth(row[at] ?? '')))) ?? [];
  const padded = (cell: string, at: number) => cell + ' '.repeat((widths[at] ?? 0) - Bun.stringWidth(cell));
  return shown.map((row) => row.map(padded).join('  ').trimEnd()).join('\n');
}

/** What is stored as JSON, as a result. */
export const asJson = (data: unknown): Result => ({ data, text: printableJson(JSON.stringify(data, null, 2)) });

/** A time as it stands in a table. */
export const toSecond = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;
