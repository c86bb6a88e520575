import { join } from 'node:path';

const file = join(import.meta.dir, '../../gitops/README.md');

/** A block below a heading of gitops/README.md, as a person copies it. @throws when there is none */
export async function blockOf(heading: string, index: number, language = 'sh'): Promise<string> {
  const [, section = ''] = (await Bun.file(file).text()).split(new RegExp(`^#+ ${heading}$`, 'm'));
  const own = section.split(/^#+ /m)[0] ?? '';
  const blocks = own.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'));
  const block = [...blocks][index]?.[1];
  if (block === undefined) throw new Error(`gitops/README.md has no block ${index + 1} below ${heading}`);
  return block;
}

const TOOLS = /^(kubectl|argocd|minikube|git|npx|bun|cp)\s/;

/** Every command that gitops/README.md says. */
export const commands = async (): Promise<string[]> => commandsOf(await Bun.file(file).text());

/** Those of a page: of blocks line by line, of text what stands in backticks; what a shell joins one by one; each once. */
export function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.split('\n'));
  const spans = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
  const lines = [...blocks.map(withoutComment), ...spans.map((span) => span.replaceAll('\n', ' '))];
  const single = lines.flatMap(atShell).map((command) => command.trim());
  return [...new Set(single.filter((command) => TOOLS.test(command)))];
}

const withoutComment = (line: string) => line.replace(/\s+#.*$/, '');

/** At `&&`, `|` and `$(`, outside quotes. */
function atShell(line: string): string[] {
  const parts = [''];
  for (const [piece] of line.matchAll(/'[^']*'|"[^"$]*"|&&|\||\$\(|\)|[^'"&|$)]+|./g)) {
    if (['&&', '|', '$(', ')'].includes(piece)) parts.push('');
    else parts[parts.length - 1] += piece;
  }
  return parts;
}
