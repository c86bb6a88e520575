import { eachLine } from '../machine/child.ts';
import { Refusal } from '../machine/refusal.ts';

const JAVA = 17;
const PROGRESS_MS = 10_000;

/**
 * What builds and runs the real parts: Go, Java and Maven. `goModule`: the folder whose go.mod Go must be new enough for.
 * @returns which Java this is, in its own words, and its number
 * @throws {Refusal} when one is missing or too old
 */
export function requireTools(goModule: string, who = 'The real parts'): { java: string; javaVersion: number } {
  const missing = ['go', 'java', 'mvn'].filter((tool) => !Bun.which(tool));
  if (missing.length > 0) {
    throw new Refusal(`${who} need Go, Java ${JAVA} and Maven: install what is missing (${missing.join(', ')}).`);
  }
  const java = saidBy(['java', '-version']).text;
  const javaVersion = Number(/version "(\d+)/.exec(java)?.[1] ?? 0);
  if (javaVersion < JAVA) throw new Refusal(`${who} need Java ${JAVA} or newer, and java says: ${firstLine(java)}`);
  // Its answer to any question about a module that wants a newer Go, which it may fetch by itself.
  const go = saidBy(['go', 'list', '-m'], goModule);
  if (!go.success) throw new Refusal(`${who} need a newer Go, or one that may fetch it: ${firstLine(go.text)}`);
  return { java, javaVersion };
}

/**
 * For a command: a refusal ends it, in one sentence. With 2, since a person must change something, but with 1 in CI, where
 * it would leave out what the command is for.
 */
export async function orExit<T>(parts: Promise<T>): Promise<T> {
  try {
    return await parts;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    process.exit(process.env.CI === 'true' ? 1 : 2);
  }
}

type Running = {
  cwd?: string;
  env?: Record<string, string | undefined>;
  say: (line: string) => void;
  /** Of what its lines are a count. */
  unit: string;
  /** Hears each line of its standard output. */
  onLine?: (line: string) => void;
};

/** Runs a tool and tells every 10 s how many lines it has printed. Throws with the last of them when it fails. */
export async function runTool(name: string, command: string[], running: Running): Promise<void> {
  const { say, unit, onLine = () => {}, ...options } = running;
  const from = performance.now();
  const seconds = () => `${Math.round((performance.now() - from) / 1000)} s`;
  const child = Bun.spawn(command, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const progress = setInterval(() => say(`${name}: ${lines.length} ${unit}, ${seconds()}`), PROGRESS_MS);
  try {
    const keep = (line: string) => void lines.push(line);
    const hear = (line: string) => {
      keep(line);
      onLine(line);
    };
    await Promise.all([eachLine(child.stdout, hear), eachLine(child.stderr, keep)]);
    const exitCode = await child.exited;
    if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${lines.slice(-20).join('\n')}`);
    say(`${name}: ${command.slice(0, 2).join(' ')} in ${seconds()}`);
  } finally {
    clearInterval(progress);
  }
}

function saidBy(command: string[], cwd?: string): { success: boolean; text: string } {
  const { success, stdout, stderr } = Bun.spawnSync(command, { ...(cwd && { cwd }), stdin: 'ignore' });
  return { success, text: `${stderr}${stdout}`.trim() };
}

const firstLine = (text: string) => text.split('\n')[0] ?? '';
