import { userInfo } from 'node:os';
import { connect } from '#shared/db';
import { createLog } from '#shared/log';
import { config } from './config.ts';
import { type Command, CommandError, type Group } from './ops/command.ts';
import { outbox } from './ops/outbox.ts';
import { users } from './ops/users.ts';

// Operators' commands: `bun /app/ops.js <group> <command> …` in the image, `bun run ops chat-api …` locally.

const groups: Record<string, Group> = { users, outbox };

/** Results go to stdout, the log and what went wrong to stderr. */
const log = createLog('chat-api', { write: (line) => console.error(line) });
process.exitCode = await run(process.argv.slice(2));

async function run(words: string[]): Promise<number> {
  const [groupName = '', commandName = '', ...rest] = words;
  const group = Object.hasOwn(groups, groupName) ? groups[groupName] : undefined;
  const command = group && Object.hasOwn(group, commandName) ? group[commandName] : undefined;
  if (!command) return help(words, groups);
  if (rest.includes('--help') || rest.length !== command.takes.length) {
    return say(rest, usage(groupName, commandName, command));
  }
  return logged(`${groupName} ${commandName}`, rest, command);
}

async function logged(name: string, rest: string[], command: Command): Promise<number> {
  const operator = config.OPERATOR || userInfo().username;
  const fields = { operator, command: name, arguments: rest };
  const sql = connect(config.DATABASE_URL, { name: 'chat-api ops', max: 2, publishes: config.EVENTS !== 'off' });
  try {
    console.log(await command.run({ sql, operator }, rest));
    log.info('operator command', { ...fields, outcome: 'done' });
    return 0;
  } catch (error) {
    log.error('operator command', { ...fields, outcome: 'failed', error });
    console.error(error instanceof CommandError ? error.message : String(error));
    return 1;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function help(words: string[], known: Record<string, Group>): number {
  const lines = Object.entries(known).flatMap(([groupName, group]) =>
    Object.entries(group).map(([name, command]) => usage(groupName, name, command)),
  );
  return say(words, `Commands of chat-api:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

function usage(group: string, name: string, { takes, does }: Command): string {
  return `${[group, name, ...takes.map((word) => `<${word}>`)].join(' ')}   ${does}`;
}

/** Asked for, help is a result; otherwise it is what was wrong with the command. */
function say(words: string[], text: string): number {
  const isAsked = words.includes('--help') || words[0] === 'help';
  (isAsked ? console.log : console.error)(text);
  return isAsked ? 0 : 2;
}
