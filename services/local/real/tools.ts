import { Refusal } from '../machine/refusal.ts';

const JAVA = 17;

/**
 * What builds and runs the real parts: Go, Java and Maven. `goModule`: the folder whose go.mod Go must be new enough for.
 * @returns which Java this is, in its own words
 * @throws {Refusal} when one is missing or too old
 */
export function requireTools(goModule: string): { java: string } {
  const missing = ['go', 'java', 'mvn'].filter((tool) => !Bun.which(tool));
  if (missing.length > 0) {
    throw new Refusal(
      `The real parts need Go, Java ${JAVA} and Maven: install what is missing (${missing.join(', ')}).`,
    );
  }
  const java = saidBy(['java', '-version']).text;
  const version = Number(/version "(\d+)/.exec(java)?.[1] ?? 0);
  if (version < JAVA) throw new Refusal(`The real parts need Java ${JAVA} or newer, and java says: ${firstLine(java)}`);
  // Its answer to any question about a module that wants a newer Go, which it may fetch by itself.
  const go = saidBy(['go', 'list', '-m'], goModule);
  if (!go.success) throw new Refusal(`The real parts need a newer Go, or one that may fetch it: ${firstLine(go.text)}`);
  return { java };
}

function saidBy(command: string[], cwd?: string): { success: boolean; text: string } {
  const { success, stdout, stderr } = Bun.spawnSync(command, { ...(cwd && { cwd }), stdin: 'ignore' });
  return { success, text: `${stderr}${stdout}`.trim() };
}

const firstLine = (text: string) => text.split('\n')[0] ?? '';
