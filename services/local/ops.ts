import './require-bun.ts';
import { bun, commandOrExit, exitWith } from './machine/command-line.ts';
import { operable, operate } from './operate.ts';
import { Refusal } from './machine/refusal.ts';
import { readRunning, stateFolder } from './state/state.ts';

// bun run ops <app-id> <command…>: what `kubectl exec deploy/<app-id> -- bun /app/ops.js <command…>` is in a cluster.

const usage = `${bun} run ops <app-id> <command> [--json]

  commands for operators of a service that \`up\` runs: accounts, waiting events, dead letters;
  \`${bun} run ops <app-id> --help\` lists them

  app-id  ${operable.join(', ')}
  --json  the answer as JSON, for programs

  TASKFLOW_STATE  folder of that \`up\` (default .taskflow); logs/ops.log in it has who did what
  OPERATOR        who you are, for that log, beside the name of your account`;

const args = process.argv.slice(2);
// What follows the app-id is for the service to read.
const at = args.findIndex((arg) => !arg.startsWith('-'));
const refuse = (word: string) =>
  operable.some((appId) => appId === word) ? undefined : `${word} is no service with commands for operators`;
commandOrExit({ name: 'ops', usage, flags: {}, refuse }, args.slice(0, at + 1 || args.length));

try {
  const appId = operable.find((each) => each === args[at]);
  if (!appId) throw new Refusal(`Of which service? \`${bun} run ops --help\` names them.`);
  const command = args.slice(at + 1);
  const settings = isHelp(command) ? {} : readRunning(stateFolder()).settings[appId];
  process.exit(await operate(appId, command, { settings }));
} catch (error) {
  exitWith(error);
}

/** Which is there while nothing runs. */
function isHelp([first = 'help', ...rest]: string[]): boolean {
  return first === 'help' || [first, ...rest].some((word) => word === '--help' || word === '-h');
}
