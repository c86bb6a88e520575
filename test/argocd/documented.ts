import { join } from 'node:path';
import type { Drill } from './drill.ts';
import { blockOf, commands } from './readme.ts';
import type { World } from './world.ts';

const scripts = ((await Bun.file(join(import.meta.dir, '../../package.json')).json()) as { scripts: object }).scripts;

/** Not on this machine: seen by nobody but who wrote them. */
const NEVER = /^minikube |^kubectl argo rollouts /;
/** What changes something is asked of the API server, and not done. */
const DRY = /^(apply|create|scale|patch)$/;
const ASKED = /^(get|describe)$/;
/** Of which the first word alone has not all flags. */
const SUBCOMMANDS = ['rollout restart', 'create secret generic', 'top pods'];

/** Whatever gitops/README.md says can be typed: each command is run, or asked for, or has its flags in the tool's own help. */
export const documented: Drill = {
  name: 'the commands of gitops/README.md',
  async run(world) {
    const all = await commands();
    const found = { 'run or tried': 0, 'known by their help': 0, 'never run': 0 };
    for (const command of all) {
      const { how, line } = await check(command, world);
      found[how] += 1;
      if (line) await world.type(line);
    }
    return Object.entries(found)
      .map(([how, count]) => `${count} ${how}`)
      .join(', ');
  },
};

/** The patch as it stands there makes of the one pub/sub component what the text says. */
export const managedBroker: Drill = {
  name: 'a managed broker by the patch of gitops/README.md',
  async run({ environment, repository, type }) {
    const file = `gitops/overlays/${environment}/kustomization.yaml`;
    const block = await blockOf('A managed broker', 0, 'yaml');
    await repository.edit(file, '\npatches:\n', `\npatches:\n${block.replaceAll(/^(?=.)/gm, '  ')}`);
    const rendered = await type(`kubectl kustomize gitops/overlays/${environment}`);
    await type(`git checkout -q ${file}`);
    type Component = {
      kind: string;
      metadata: { name: string };
      spec: { metadata: { name: string; value: string }[] };
    };
    const all = [Bun.YAML.parse(rendered)].flat() as Component[];
    const component = all.find(({ kind, metadata }) => kind === 'Component' && metadata.name === 'taskflow-pubsub');
    const values = new Map(component?.spec.metadata.map(({ name, value }) => [name, value]));
    const found = ['brokers', 'saslMechanism', 'saslUsername'].map((name) => values.get(name));
    if (found.join() !== 'broker.example.com:9096,SHA-512,{appID}') throw new Error(`it makes ${found.join(', ')}`);
    return `brokers, mechanism and user are ${found.join(', ')}`;
  },
};

type Checked = { how: 'run or tried' | 'known by their help' | 'never run'; line?: string };

async function check(command: string, world: World): Promise<Checked> {
  if (NEVER.test(command)) return { how: 'never run' };
  const [tool = '', ...words] = command.split(/\s+/);
  if (tool === 'kubectl') return checkKubectl(command, words, world);
  if (tool === 'argocd') return checkHelp(`argocd ${words.slice(0, 2).join(' ')}`, words, world);
  if (tool === 'git' || tool === 'cp') return { how: 'run or tried' }; // by other drills, as they stand
  if (words.at(-1) === 'install') return checkHelp('bun install', [], world);
  const at = words.indexOf('run');
  const script = words[at + 1] ?? '';
  if (at === -1) return checkFile(words);
  if (!(script in scripts)) throw new Error(`${command}: package.json has no ${script}`);
  return checkHelp(`bun run ${script}`, words.slice(at + 2), world);
}

async function checkFile(words: string[]): Promise<Checked> {
  const file = words.find((word) => word.endsWith('.ts') || word.endsWith('.js')) ?? '';
  if (!(await Bun.file(join(import.meta.dir, '../..', file)).exists())) throw new Error(`there is no ${file}`);
  return { how: 'known by their help' };
}

async function checkKubectl(command: string, words: string[], world: World): Promise<Checked> {
  const verb = words[words[0] === '-n' ? 2 : 0] ?? '';
  const concrete = command.replaceAll('<service>', 'audit-logger').replaceAll('<environment>', world.environment);
  if (ASKED.test(verb) && !/<|kafka|hpa/.test(concrete))
    return { how: 'run or tried', line: `${concrete} > /dev/null` };
  const isLocal = !/bootstrap\/argocd|-f -/.test(concrete); // from elsewhere; from a command before it
  if (DRY.test(verb) && isLocal && !/create secret|-f gitops\/data/.test(concrete))
    return { how: 'run or tried', line: `${concrete} --dry-run=server > /dev/null` };
  const [whole = verb] = SUBCOMMANDS.filter((each) => command.includes(` ${each} `));
  return checkHelp(`kubectl ${whole}`, words, world);
}

/** `bun /app/ops.js dlq show …` in a pod of a service: its own help of just that command begins with it. */
async function checkOps([, , ...words]: string[], service: string, { type }: World): Promise<void> {
  const command = words.slice(0, 2).join(' ');
  const help = await type(`bun services/${service}/ops.ts ${command} --help`);
  if (!help.startsWith(command)) throw new Error(`ops of ${service} has no ${command}`);
}

/** Each flag must stand there; those behind ` -- ` are another program's. */
async function checkHelp(tool: string, words: string[], world: World): Promise<Checked> {
  const end = words.indexOf('--');
  const own = end === -1 ? words : words.slice(0, end);
  const inside = end === -1 ? [] : words.slice(end + 1);
  if (inside[1] === '/app/ops.js') await checkOps(inside, words[words.indexOf('-c') + 1] ?? '', world);
  const options = tool.startsWith('kubectl') ? await world.type('kubectl options') : '';
  const help = `${await world.type(`${tool} --help`)}${options}`;
  for (const flag of own.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*/, ''))) {
    if (!new RegExp(`(^|[\\s,])${flag}\\b`, 'm').test(help)) throw new Error(`${tool} has no ${flag}`);
  }
  return { how: 'known by their help' };
}
