// bun run settings: writes services/SETTINGS.md anew from the schemas that the services read their environment by.
import type { TSchema } from '@sinclair/typebox';
import { join } from 'node:path';
import { schema as audit } from './audit-logger/config.ts';
import { schema as chat } from './chat-api/config.ts';
import { bun, commandOrExit } from './local/machine/command-line.ts';
import { usage } from './local/options.ts';
import { schema as notification } from './notification-service/config.ts';
import { schema as processor } from './recurring-task-processor/config.ts';
import { schema as reminder } from './reminder-service/config.ts';
import { schema as web } from './web/config.ts';

const services = {
  'chat-api': chat,
  'notification-service': notification,
  'reminder-service': reminder,
  'audit-logger': audit,
  'recurring-task-processor': processor,
  web,
};
type AppId = keyof typeof services;
const appIds = Object.keys(services) as AppId[];

/** A setting as a service declares it. */
interface Setting {
  name: string;
  schema: TSchema;
}

const settingsOf = (appId: AppId): Setting[] =>
  Object.entries(services[appId].properties).map(([name, schema]) => ({ name, schema: schema as TSchema }));

const readersOf = (name: string): AppId[] => appIds.filter((appId) => Object.hasOwn(services[appId].properties, name));
/** What most services read stands together, the rest with its service. */
const isCommon = ({ name }: Setting): boolean => readersOf(name).length >= appIds.length - 2;

const HEAD = `# Settings

Each service reads its environment once, when it starts, and refuses a bad value by its name. \`up\` chooses addresses, ports and
secrets itself. It hands on the other settings that you export, to each service its own. Apart from them a service gets only what
a process needs to run, and nothing of your environment is stored.

\`npx -y bun@1.4.5 run settings\` writes this page from \`shared/config.ts\` and \`services/<name>/config.ts\`; a test compares them.
A setting without a default must be set. Secrets are at least 32 characters long: \`openssl rand -base64 32\` prints one.
`;

const up = [
  ['name', 'default', 'meaning'],
  ['`TASKFLOW_STATE`', '`.taskflow`', 'folder of data, secrets and logs: a folder of its own, or an empty one'],
  [
    '`TASKFLOW_CACHE`',
    '`~/.cache/taskflow`',
    'where `--real` keeps what it builds, and where a copy of Postgres lies when a shell would misread the path of the checkout',
  ],
  ['`DATABASE_URL`', 'the embedded one', 'your Postgres: version 15 or newer, encoding UTF8'],
  ['`DAPR_HTTP_PORT`', 'the stand-in', 'the port of your own sidecar'],
];

const flags = [...usage.matchAll(/^ +(--\w+)/gm)].map(([, flag]) => `\`${flag}\``);

const TAIL = `What \`DATABASE_URL\` leaves out is taken from \`PGHOST\`, \`PGPORT\`, \`PGUSER\`, \`PGPASSWORD\`, \`PGDATABASE\` and \`PGSSLMODE\`. The
database must be for TaskFlow alone, because other roles can create nothing in it any more. A server can hold one TaskFlow only,
because roles belong to the whole server.

The flags of \`up\` are ${flags.join(', ')} and \`--help\`, which explains them.
`;

/** The whole page, formatted as `bun fmt` leaves it. */
export function settingsPage(): string {
  const common = settingsOf('chat-api').filter(isCommon);
  const own = (appId: AppId) => settingsOf(appId).filter((setting) => !isCommon(setting));
  return [
    HEAD,
    `## Of several services\n`,
    table([
      ['name', 'default', 'values', 'of', 'meaning'],
      ...common.map((setting) => row(setting, [readers(setting)])),
    ]),
    ...appIds
      .filter((appId) => own(appId).length > 0)
      .flatMap((appId) => [
        `## Of ${appId}\n`,
        table([['name', 'default', 'values', 'meaning'], ...own(appId).map((setting) => row(setting))]),
      ]),
    '## Of `up`\n',
    table(up),
    TAIL,
  ].join('\n');
}

const row = ({ name, schema }: Setting, more: string[] = []): string[] => [
  code(name),
  defaultOf(name, schema),
  valuesOf(schema),
  ...more,
  // A bar would end the cell.
  (schema.description ?? '').replaceAll('|', '\\|'),
];

function readers({ name }: Setting): string {
  const readsNot = appIds.filter((appId) => !readersOf(name).includes(appId));
  return readsNot.length === 0 ? 'all' : `all but ${readsNot.join(' and ')}`;
}

function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('');
}

/** Each service has a port of its own. */
function defaultOf(name: string, schema: TSchema): string {
  const defaults = name === 'PORT' ? appIds.map((appId) => services[appId].properties.PORT.default) : [schema.default];
  return defaults
    .map((value) => (value === undefined ? 'none' : value === '' ? 'empty' : code(String(value))))
    .join(', ');
}

function valuesOf({ anyOf, type, minimum, maximum }: TSchema): string {
  if (Array.isArray(anyOf)) return anyOf.map((each: TSchema) => code(String(each.const))).join(', ');
  if (type !== 'integer') return 'text';
  return maximum === undefined ? `${minimum} or more` : `${minimum} to ${maximum}`;
}

const code = (text: string) => `\`${text}\``;

if (import.meta.main) {
  commandOrExit({
    name: 'settings',
    usage: `${bun} run settings\n\nWrites services/SETTINGS.md anew from the schemas of the settings.`,
    flags: {},
  });
  await Bun.write(join(import.meta.dir, 'SETTINGS.md'), settingsPage());
}
